"""The Streamlit page: draw, ask the searcher, draw the answer.

`server` starts it, `page` draws it, `query` keeps what one visitor asks, `cards` writes the HTML of one picture and
its label. Knows nothing of how codes are made or where files lie.
"""

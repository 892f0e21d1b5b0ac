"""The Streamlit page: draw, ask the searcher, draw the answer.

`server` starts it, `page` draws it, `query` keeps what one visitor asks, `cards` writes the HTML of one picture and
its label; `panel` draws how good the answers are, out of the sentences and tables of `figures`. Knows nothing of how
codes are made or where files lie.
"""

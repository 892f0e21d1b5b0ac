"""The Streamlit page.

`server` starts it, `page` draws the frame and the search page, `explore` draws the other page out of `image_map`,
`playground` and `text_search`. `context.Page` is what they all draw with, `query` keeps a visitor's query, `cards`
writes HTML, `quality_panel` and `quality_view` show how good the results are, and `advice` explains failures.
"""

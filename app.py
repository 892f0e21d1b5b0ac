"""The search page from a clone: `streamlit run app.py`. An install starts the same page with `imgsearch app`."""

from imgsearch.web.page import draw_page

draw_page()

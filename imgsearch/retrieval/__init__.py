"""Retrieval: from codes to hits.

`index` finds exact neighbours and reads and writes index files; `build` builds the index of a directory; `search` and
`text` search by images and by words; `evaluation` measures search methods; `explore` computes the image map and walks
between codes.
"""

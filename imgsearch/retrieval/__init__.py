"""Retrieval: from codes to hits.

`index` finds exact neighbours and stores what they are found in; `build` makes the index of a directory; `search` and
`text` answer queries; `evaluation` measures the answers; `explore` serves the map and the decoder playground.
"""

"""What a recording shows: a page for a browser, a drawing for a terminal, files for programs.

`weave` reads a recording, `figures` says what it comes to, and `names` what things are called. The
rest shows it: `page`; `terminal` with `drawing`, `tables` and `columns`; `document` and `trace`
with `listing`.
"""

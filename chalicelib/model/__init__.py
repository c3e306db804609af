"""The data model, declared once in tables: which data may be posted, how they are checked and how they are stored.

`tables` declares every type in the vocabulary of `fields` and `text_formats`. `checks` reads a datum by its table:
`parse`, `validate`, `normalize`. `compiled` turns the same tables into a fast path for valid data. `data.check_data` is
the entry point; `json_schema` derives the published schemas; `query` checks query parameters with the same errors.
"""

"""The data model, declared once: what may be posted, what is wrong with it, and how it is stored.

Tables: `types` (by family), `common`, `nutrition`, `data_sets`, written in the words of `fields` and `forms`.
By them a datum is read in three steps, `parsing`, `validation` and `normalizing` (`by_table`). `compiler` makes of the
same tables what vouches for the many data without faults. `data.check_data` is the way in; `json_schema` derives the
published schemas; `query` checks query parameters with the same errors.
"""

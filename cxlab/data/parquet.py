"""How Parquet files are written."""

__all__ = ["PARQUET"]

# Ids are unique, so a dictionary or a Bloom filter of them is work for nothing: a column
# with more than a thousand different values is written as it is.
PARQUET = (
    "format parquet, row_group_size 245760, dictionary_size_limit 1000, write_bloom_filter false"
)

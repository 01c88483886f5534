"""The district's supervision page: two up, one down, town by town, each figure with its formula."""

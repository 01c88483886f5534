"""The pages of imports and exports: upload, map, preview, apply, download."""

"""`/labels`: signs with QR codes to print, for an estate, its buildings and its plant rooms."""

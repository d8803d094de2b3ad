"""Small grid games drawn by rules: what touching and combining things does differs by game."""

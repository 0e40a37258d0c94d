"""Parts of make_golden.py: see README.md in the folder above."""

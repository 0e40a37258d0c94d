"""One module a family: each has `make(rng, language, held_out)`, `WEIGHT`, and `verify(problem)`
for the tests."""

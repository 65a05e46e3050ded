"""Models on secret data: what each computes, what it opens, how exact it is."""

"""The library as people read it: SOPs, revisions, comparisons, search."""

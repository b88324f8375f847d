"""The Earth observation profile of WCS 2.0 (10-140r1): cubes as series of datasets."""

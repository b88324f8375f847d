"""From product files to cubes: readers recognise and open, the pipeline commits.

A reader turns a source (a file, a folder, a URL) into granules: what the cube would be, and its
slices in time with windowed access to the packed values. The pipeline fits granules into cubes
of a store; a source goes in wholly or not at all.
"""

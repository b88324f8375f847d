"""Expression trees: one meaning for band maths, styles and queries; numpy only."""

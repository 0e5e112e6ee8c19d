"""The explorer: a page on one's own machine whose sliders redraw what a model expects, beside real data."""

"""Questions put to a study: one file, one question, with its answer's rows, JSON and figure, and its command.

Each file has a function of the verb's name, of which `Study` makes a method, and a `COMMAND`, of which `cli`
makes a command. A new question is a new file, and a line here.
"""

VERBS = {
    "predict": "Print the expected counts of experiments.",
    "spectrum": "Print the recoils behind the counts, by nuclide and flavour.",
    "limit": "Find the allowed values of a parameter.",
    "map": "Find the allowed values of two parameters together.",
    "fit": "Fit parameters to experiments.",
    "sample": "Sample the posterior of parameters.",
    "sensitivity": "Find the limit that is expected, and the observed one.",
    "significance": "Find how significantly data reject a null hypothesis.",
    "feldman_cousins": "Find limits by toys (Feldman-Cousins), and their coverage.",
    "goodness": "Find how well a model fits.",
    "combine": "Compare and combine experiments.",
    "impact": "Rank systematics by what they do to a parameter.",
    "workspace": "Write the likelihood as a workspace of pyhf.",
}
"""What there is, in the order in which it is listed, and what it is for."""

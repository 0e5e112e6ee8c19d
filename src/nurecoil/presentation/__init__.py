"""What a reader sees: documents as data, drawn as figures, reports and pages. Nothing is computed here."""

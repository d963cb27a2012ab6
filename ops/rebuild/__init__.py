"""Rebuilding a view: a new generation is filled beside the live one, certified, and made live in one step."""

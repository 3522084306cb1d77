"""Recipes, their schema and their loader."""

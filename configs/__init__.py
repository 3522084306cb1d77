"""Configs, their schema and their loader."""

"""Casemate: a sovereign AI cloud in which every object carries a label and information only flows up."""

__version__ = "0.1.0"

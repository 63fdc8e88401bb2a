"""Templates into files: one table of what there is, and how each is filled from what a project is."""

from __future__ import annotations

from hardenctl.formats.project import ProjectFacts, detect_facts
from hardenctl.render.render import TEMPLATES, Template, merge, override, render, template_named, template_text

__all__ = [
    "TEMPLATES",
    "ProjectFacts",
    "Template",
    "detect_facts",
    "merge",
    "override",
    "render",
    "template_named",
    "template_text",
]

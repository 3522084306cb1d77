"""What an annotation tool needs beside the articles: the labels of the scheme."""

from collections.abc import Iterator
from pathlib import Path

from ..data.formats import brat, doccano, label_studio, prodigy
from ..data.labels import LabelScheme


def tool_files(format: str, scheme: LabelScheme) -> dict[str, str]:
    """Name of a file → its content; empty for brat, which has them in the folder of the articles, and other formats.

    Args:
        format: that of the articles.
        scheme: labels without which nothing can be annotated are left out with their file.
    """
    if format == "label-studio":
        return {"label-studio.xml": label_studio.labeling_config(scheme)}
    if format == "doccano":
        files = {
            "doccano-spans.json": doccano.span_types(scheme) if scheme.entities or scheme.events else "",
            "doccano-categories.json": doccano.category_types(scheme) if scheme.events else "",
            "doccano-relations.json": doccano.relation_types(scheme) if scheme.roles else "",
        }
        return {name: content for name, content in files.items() if content}
    return {"prodigy-labels.txt": prodigy.label_list(scheme)} if format == "prodigy" else {}


def write_tool_files(format: str, scheme: LabelScheme, output: Path) -> Iterator[Path]:
    """Write the files beside the articles, with the name of their file before each; yield those that were new.

    Args:
        format: that of the articles.
        scheme: their labels.
        output: file or folder of the articles. Files that exist are kept, as they may have been edited, except in a
            folder of brat, which is new.
    """
    if format == "brat":
        brat.Configuration.of_scheme(scheme).write(output)
    for name, content in tool_files(format, scheme).items():
        file = output.with_name(f"{output.stem}.{name}")
        if not file.exists():
            file.write_text(content, encoding="utf-8")
            yield file

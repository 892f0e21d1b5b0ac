"""The command `evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from imgsearch.cli.grammar import examples
from imgsearch.cli.options import DeviceOption, IndexOption, JsonOption, count
from imgsearch.cli.output import note, say_json, tracking
from imgsearch.workflows.evaluation import MAX_QUERIES


@examples(
    "imgsearch evaluate", "imgsearch evaluate --queries held-out.zip --json", "imgsearch evaluate --plot curve.png"
)
def evaluate(
    queries: Annotated[
        Path | None,
        typer.Option(
            "--queries",
            metavar="PATH",
            help="A folder or zip of images in folders named by label (default: each image of the corpus is a query "
            "and left out of its own result).",
        ),
    ] = None,
    max_queries: Annotated[
        int,
        typer.Option("--max-queries", parser=count, metavar="N", help="Draw N queries at random where there are more."),
    ] = MAX_QUERIES,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="PNG",
            help="Draw the share of same-label images among the N nearest, one curve per method.",
        ),
    ] = None,
    index: IndexOption = None,
    json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Measure retrieval quality.

    The codes are measured beside raw pixels, PCA, HOG and the untrained network: on distorted copies of the images,
    and by labels where the corpus has any.
    """
    from imgsearch.cli.evaluation_output import findings_json, say_measurement
    from imgsearch.workflows import evaluation

    with tracking("measuring") as progress:
        measurement = evaluation.evaluate(
            index,
            queries=queries,
            max_queries=max_queries,
            labels_needed=plot is not None,
            save=False,  # only after printing, so that a read-only directory does not lose the result
            device=device,
            on_progress=progress,
        )
    if json:
        say_json(findings_json(measurement))
    else:
        say_measurement(measurement)
    evaluation.save_quality(measurement, index)
    if plot:
        evaluation.draw_curve(measurement, plot)
        note(f"drawn into {plot}")

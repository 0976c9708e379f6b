"""`mrcnn-al report`: the HTML report of a run, or of a comparison."""

import click


@click.command()
@click.argument("run", type=click.Path())
def report(run):
    """Write the report of the run in folder RUN again, also while it goes on.

    RUN may be the folder of a comparison; its summary.json is written again, too.
    """
    from mrcnn_al.comparison.outputs import write_outputs
    from mrcnn_al.comparison.store import ComparisonStore
    from mrcnn_al.report.html import write_report
    from mrcnn_al.run_store import RunStore

    if ComparisonStore(run).plan_path.is_file():
        path, _ = write_outputs(run)
    else:
        path = write_report(RunStore.open(run).folder)
    click.echo(f"report: {path}")

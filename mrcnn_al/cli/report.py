"""`mrcnn-al report`: the HTML report of a run."""

import click


@click.command()
@click.argument("run", type=click.Path())
def report(run):
    """Write the report of the run in folder RUN again, also while it goes on."""
    from mrcnn_al.report.html import write_report
    from mrcnn_al.run_store import RunStore

    click.echo(f"report: {write_report(RunStore.open(run).folder)}")

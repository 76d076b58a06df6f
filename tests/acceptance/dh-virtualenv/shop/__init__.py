import click


@click.command()
@click.option("--config", default="/etc/shop/shop.conf", help="The configuration.")
def main(config):
    """Sells things over the counter."""
    click.echo(config)

"""``mfverify check``: does this certificate hold?"""

from __future__ import annotations

import json

import click

from mfverify.bundled import certificate_path
from mfverify.cli.options import json_option
from mfverify.cli.terminal import say


def _existing_certificate(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """The argument, where it names a file that exists."""
    click.Path(exists=True, dir_okay=False).convert(str(certificate_path(value)), parameter, context)
    return value


@click.command()
@click.argument("certificate", callback=_existing_certificate)
@json_option
def check(certificate: str, as_json: bool) -> int:
    """Have a certificate (a file, or certificates:NAME for a bundled one) checked by the independent checker; exit 1 if it is refused."""
    from mfverify.checker.check_certificate import check_file

    answer = check_file(str(certificate_path(certificate)))
    if as_json:
        click.echo(json.dumps({"certificate": certificate, "accepted": answer.accepted, "reasons": answer.reasons, "steps": answer.steps}))
    else:
        say("accepted" if answer.accepted else "refused")
        for reason in answer.reasons:
            say(f"  {reason}")
        say(f"  {answer.steps} steps")
    return 0 if answer.accepted else 1

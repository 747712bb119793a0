"""``mfverify certify``: how does a reader who does not trust this program check the violation?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from mfverify.cli.options import integer, json_option, load_argument
from mfverify.cli.terminal import say
from mfverify.errors import ModelError
from mfverify.files import check_writable


@click.command()
@click.argument("claim")
@click.argument("model", required=False)
@click.option("--agents", type=integer, default=None, help="Number of local agents n.")
@click.option("--subsample", type=integer, default=None, help="Number of sampled agents k.")
@click.option("--instance", metavar="LABEL", help="The instance with this label (as in report.json), in place of a model, n and k.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File for the certificate.")
@json_option
def certify(
    claim: str, model: str | None, agents: int | None, subsample: int | None, instance: str | None, out: Path, as_json: bool
) -> None:
    """Write the certificate of a violated instance of a claim (an id or FILE.py:NAME, which is executed), and show what it proves.

    MODEL is a file, or models:NAME for a bundled one; a claim about populations takes none.
    """
    given = {"--agents": agents, "--subsample": subsample, "MODEL": model}
    named = [name for name, value in given.items() if value is not None]
    if instance is not None and named:
        raise ModelError(f"--instance: names the instance, and so does {', '.join(named)}; leave one of the two out")
    if instance is None and not named:
        raise ModelError("--instance: is missing; give the label of an instance, or a model with --agents and --subsample")
    check_writable(out, "--out")
    from mfverify.certificate import certify as build
    from mfverify.certificate import check_certificate
    from mfverify.papers.named import claim_named
    from mfverify.points.instances import Where, instance_at, instance_labelled
    from mfverify.theory.claim import NotApplicable

    chosen = claim_named(claim)
    if instance is not None:
        found = instance_labelled(chosen, instance)
    else:
        where = Where(chosen, None if model is None else load_argument(model))
        where.check(tuple(name for name, value in (("n", agents), ("k", subsample)) if value is not None))
        assert agents is not None and subsample is not None  # checked on the line above
        made = instance_at(chosen, where.model_at({}), agents, subsample)
        if isinstance(made, NotApplicable):
            raise ModelError(f"claim {chosen.id}: {made.reason}")
        found = made
    certificate = build(chosen, found)
    answer = check_certificate(certificate)
    certificate.save(out)
    if as_json:
        click.echo(
            json.dumps({"certificate": certificate.document, "accepted": answer.accepted, "reasons": answer.reasons, "steps": answer.steps})
        )
        return
    for reason in answer.reasons:
        say(reason)
    click.echo(f"wrote {out}")

"""The command `smpc`. It reads arguments, calls one function and prints; every error is one line with a remedy."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import tempfile
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from protocols.errors import ProtocolError
from smpc.errors import LinkError, SmpcError
from smpc.progress import shown

if TYPE_CHECKING:
    from rich.console import Console

    from smpc.run import Request

FILE = click.Path(path_type=Path)
DEBUG = "--debug"

# Of what one party does at its site
PARTY = click.option("--party", required=True, help="Which party of the study this is.")
TABLE = click.option(
    "--data", type=FILE, help="This party's table: CSV, Parquet or Arrow. [default: NAME.csv beside STUDY]"
)
KEY = click.option("--key", type=FILE, help="This party's key file. [default: NAME.key beside STUDY]")
WAIT = click.option(
    "--wait",
    type=click.FloatRange(0.1, 86_400),
    default=7.0,
    show_default=True,
    help="Seconds to wait for absent peers.",
)


def main() -> None:
    """Entry point: run the command, turn errors into one line and an exit code.

    0 success; 1 an error here; 2 wrong arguments; 3 a peer is at fault; 130 interrupted; 143 terminated.
    """
    arguments = [argument for argument in sys.argv[1:] if argument != DEBUG]
    signal.signal(signal.SIGTERM, _end)
    try:
        cli.main(arguments, prog_name="smpc", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.exceptions.Abort):
        _fail("interrupted", 130)
    except Exception as error:  # noqa: BLE001 - the last place where it can become one line
        if DEBUG in sys.argv:
            traceback.print_exc()
        _fail(_line(error), 3 if isinstance(error, LinkError | ProtocolError) else 1)
    finally:
        gc.freeze()  # the interpreter ends without looking through all that is loaded for garbage


def _end(number: int, _: object) -> None:
    """Leave as on an interrupt, so that no child process and no key is left behind."""
    raise SystemExit(128 + number)


def _line(error: Exception) -> str:
    """One line for a person. Only errors of ours are quoted: another's text could hold a value."""
    if isinstance(error, SmpcError | ProtocolError):
        return str(error)
    if isinstance(error, OSError) and error.errno and error.filename is not None:
        return f"{error.filename}: {os.strerror(error.errno)}"
    return f"stopped by {type(error).__name__}; run the command again with {DEBUG} to see where"


def _fail(line: str, code: int) -> None:
    click.echo(f"smpc: {_printable(line)}", err=True)
    sys.exit(code)


def _printable(line: str) -> str:
    return line if line.isprintable() else ascii(line)[1:-1]  # the name of a file can hold anything


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's signature
    if wanted:
        from smpc import __version__

        click.echo(f"smpc {__version__}")
        context.exit()


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"Any command takes {DEBUG} to show a traceback.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def cli() -> None:
    """Compute together on data that nobody shows to the others.

    Start with `smpc demo`. A study of your own: `smpc init FOLDER`, look at FOLDER/study.toml, then
    `smpc local FOLDER/study.toml` on one machine, or `smpc check` and then `smpc run` at every site.
    """


@cli.command(short_help="See the main job done, on real data.")
@click.option(
    "--model", type=click.Choice(["linear", "logistic"]), default="linear", show_default=True, help="What to fit."
)
@click.option("--parties", type=click.IntRange(2, 10), default=3, show_default=True, help="How many owners of data.")
@click.option("--out", type=FILE, help="Keep study, data and results in this folder.")
@click.option("--dealer", is_flag=True, help="Let a dealer make the correlated randomness: one process more.")
@click.option("--json", "as_json", is_flag=True, help="Print the first receiver's result as JSON.")
def demo(model: str, parties: int, out: Path | None, *, dealer: bool, as_json: bool) -> None:
    """Fit a model on real data, split over processes of this machine.

    A linear one of 442 patients with diabetes, ten measurements each, or a logistic one of 569 tumours; every party is
    a process with its own file and key, and their links are encrypted as in production. There is no third party. Prints
    the joint fit beside the fit of the pooled data.
    """
    from smpc.demo import run_demo
    from smpc.scaffold import new_folder
    from smpc.show import print_demo

    with tempfile.TemporaryDirectory(prefix="smpc-demo-") as temporary:
        folder = Path(temporary) if out is None else new_folder(out)
        with shown() as progress:
            helped = " and a dealer" if dealer else ""
            progress.stage(f"{parties} parties{helped}, each a process, fit one model")
            found = run_demo(parties, folder, dealer=dealer, model=model)
        if as_json:
            click.echo(json.dumps(found.answer, indent=2, ensure_ascii=False))
        else:
            print_demo(_console(), found, folder / "results")
    if out is not None and not as_json:
        click.echo(f"Study, data and results are in {out}")


@cli.command(short_help="Make a party's key.")
@click.argument("name")
@click.option("--dir", "folder", type=FILE, default=Path(), help="Where to write NAME.key; this folder if not said.")
def keygen(name: str, folder: Path) -> None:
    """Make the key of the party NAME.

    Writes NAME.key, which stays with you, and NAME.pub, whose one line goes into the study's manifest.
    """
    from smpc import identity as keys

    folder.mkdir(parents=True, exist_ok=True)
    identity = keys.generate(name)
    path = keys.write(identity, folder)
    public = folder / f"{name}.pub"
    public.write_text(identity.public.hex() + "\n", encoding="ascii")
    click.echo(f"secret key   {path} (stays with you)")
    click.echo(f"public key   {identity.public.hex()} (also in {public}; goes into study.toml)")
    click.echo(f"fingerprint  {keys.fingerprint(identity.public)} (compare it by phone)")


@cli.command(short_help="Make a study folder to start from.")
@click.argument("folder", type=FILE)
def init(folder: Path) -> None:
    """Make a study FOLDER to start from: a commented study.toml, keys, small data files."""
    from smpc.scaffold import create

    for path in create(folder):
        click.echo(f"wrote {path}")
    click.echo(f"\nRun it on this machine:  smpc local {folder / 'study.toml'}")


@cli.command(short_help="See whether a study can be run here.")
@click.argument("study", type=FILE)
@PARTY
@TABLE
@KEY
@WAIT
@click.option("--no-links", "alone", is_flag=True, help="Leave out the links: for a party that is alone.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def check(
    study: Path, party: str, data: Path | None, key: Path | None, wait: float, *, alone: bool, as_json: bool
) -> None:
    """See whether a run of STUDY can begin: manifest, key, data, ranges, store, and links to every peer.

    Every party runs this command at its site, at the same time. One line each: ok; or no, and what to do; or --, not
    done, as another failed that comes first. Nothing of a run is used up, and none of the data leaves. A program is run
    once, on zeros. Exits 0 if all is ok, 3 if only a peer is at fault, 1 else.
    """
    from smpc.check import check as look
    from smpc.check import exit_code

    found = []
    for finding in look(_request(study, party, key, data, wait), links=not alone):
        found.append(finding)
        if not as_json:
            click.echo(_printable(finding.line))
    if as_json:
        click.echo(json.dumps([finding.to_dict() for finding in found], indent=2, ensure_ascii=False))
    sys.exit(exit_code(found))


@cli.command(short_help="Be one party of a study.")
@click.argument("study", type=FILE)
@PARTY
@TABLE
@KEY
@click.option("--out", type=FILE, help="Folder for result, report and ledger. [default: results/NAME beside STUDY]")
@WAIT
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def run(
    study: Path, party: str, data: Path | None, key: Path | None, out: Path | None, wait: float, *, as_json: bool
) -> None:
    """Be one party of STUDY.

    Every party runs this command at its site, at the same time. Nothing is sent before all agree on the study.
    """
    from smpc.outcome import write_outcome
    from smpc.run import run as run_study

    request = _request(study, party, key, data, wait, out or study.parent / "results" / party)
    written: list[dict[str, Any]] = []
    # what a program prints is not its result
    with shown() as progress, redirect_stdout(sys.stderr if as_json else sys.stdout):
        outcome = run_study(request, progress, lambda outcome: written.append(write_outcome(outcome, request.out)))
    if as_json:
        click.echo(json.dumps(written[0] if written else {}, indent=2, ensure_ascii=False, default=repr))
    else:
        from smpc.show import print_outcome  # with rich, which JSON does not need

        print_outcome(_console(), outcome, party, request.out)


@cli.command(short_help="Say what a study will cost.")
@click.argument("study", metavar="STUDY|PROGRAM.py")
@click.option("--rows", type=click.IntRange(1, 2**40), help="Rows in total; of a program, in each table.")
@click.option("--columns", multiple=True, metavar="NAME=COLUMN,…", help='Who holds which, for split = "columns".')
@click.option("--parties", type=click.IntRange(2, 20), default=3, show_default=True, help="For a program: how many.")
@click.option(
    "--preprocessing",
    type=click.Choice(["ot", "dealer"]),
    default="ot",
    show_default=True,
    help="For a program: who makes the correlated randomness.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def plan(
    study: str, rows: int | None, columns: tuple[str, ...], parties: int, preprocessing: str, *, as_json: bool
) -> None:
    """Rounds, bytes, correlated randomness, memory and time of STUDY, from its manifest alone: no data, no peers.

    Where columns are split, the manifest does not say who holds which: they are dealt out evenly, if --columns does not
    say. A program is run once, on zeros.
    """
    from smpc import plan as plans
    from smpc.config import load_manifest
    from smpc.programs import program_of
    from smpc.show import print_plan

    held = {name: tuple(listed.split(",")) for name, _, listed in (text.partition("=") for text in columns)}
    with tempfile.TemporaryDirectory(prefix="smpc-") as temporary:
        path = _study(study, Path(temporary), parties, preprocessing)
        manifest = load_manifest(path, allow_incomplete=True)
        if manifest.study.programmed:
            found = plans.of_program(manifest, program_of(manifest, path).function, rows or plans.least_rows(manifest))
        else:
            found = plans.of_model(manifest, plans.layout_of(manifest, rows, held))
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        print_plan(_console(), found)


@cli.command(short_help="Make a study's correlated randomness ahead.")
@click.argument("study", type=FILE)
@PARTY
@KEY
@click.option("--data", type=FILE, help='This party\'s table; needed for split = "columns" only.')
@click.option("--rows", type=click.IntRange(1, 2**40), help="Rows in total; of a program, in each table.")
@click.option("--runs", type=click.IntRange(1, 1000), default=1, show_default=True, help="For how many runs.")
@WAIT
def prepare(
    study: Path, party: str, key: Path | None, data: Path | None, rows: int | None, runs: int, wait: float
) -> None:
    """Make the correlated randomness of STUDY ahead of its run, into the encrypted file NAME.store beside STUDY.

    Every party runs this command at its site, at the same time; `smpc run` then takes from the store. Nothing leaves a
    store twice. A store that is there already is replaced.
    """
    from smpc.prepare import prepare as make

    with shown() as progress:
        written = make(_request(study, party, key, data, wait), runs, rows, progress)
    click.echo("dealt" if written is None else f"wrote {written}, for {runs} run{'s' * (runs > 1)}")


@cli.command(short_help="Run all parties of a study or program here.")
@click.argument("target", metavar="STUDY|PROGRAM.py")
@click.option(
    "--data",
    "files",
    multiple=True,
    metavar="NAME=FILE",
    help="A party's table; may be given for each owner.",
)
@click.option("--out", type=FILE, help="Keep results here, one folder a party.")
@click.option("--parties", type=click.IntRange(2, 20), default=3, show_default=True, help="For a program: how many.")
@click.option(
    "--preprocessing",
    type=click.Choice(["ot", "dealer"]),
    default="ot",
    show_default=True,
    help="For a program: who makes the correlated randomness: the parties themselves, or a dealer.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what each party got as JSON.")
def local(
    target: str, files: tuple[str, ...], out: Path | None, parties: int, preprocessing: str, *, as_json: bool
) -> None:
    """Run every party of a study, or of a program, as a process of this machine.

    A program is a Python file with a function `program(party)`; PROGRAM.py:name says another name. Keys and addresses
    are made for the run.
    """
    from smpc.launch import run_locally

    data = dict(_named_file(text) for text in files)
    with tempfile.TemporaryDirectory(prefix="smpc-") as temporary:
        results = out or Path(temporary) / "results"
        with shown() as progress:
            progress.stage("every party computes, each in a process")
            study = _study(target, Path(temporary), parties, preprocessing)
            manifest, exits = run_locally(study, data, results)
        answers = {party.name: exits[party.name].answer for party in manifest.owners}
        for one in exits.values():
            for line in one.printed:
                click.echo(f"{one.party}: {line}", err=True)
        if as_json:
            click.echo(json.dumps(answers, indent=2, ensure_ascii=False))
        else:
            from smpc.show import print_answers  # while the parties work there is nothing to print

            print_answers(_console(), manifest, answers, results)
    if out is not None and not as_json:
        click.echo(f"\nResults are in {out}")


def _request(
    study: Path, party: str, key: Path | None, data: Path | None, wait: float, out: Path | None = None
) -> Request:
    """What a party is told, with the files beside the study for those that are not named."""
    from smpc.run import Request

    beside = study.parent
    standard = beside / f"{party}.csv"
    found = data or (standard if standard.exists() else None)
    return Request(study, party, key or beside / f"{party}.key", found, out, wait)


def _study(target: str, folder: Path, parties: int, preprocessing: str) -> Path:
    """The study that `target` names; one that is made in `folder` if it is a program, FILE.py or FILE.py:name."""
    from smpc.local_manifest import for_program

    file, _, name = target.partition(".py:")
    if not name and not target.endswith(".py"):
        return Path(target)
    program = Path(file + ".py" if name else file)
    if not program.is_file():
        raise SmpcError(f"{program.name}: no such file in {program.absolute().parent}")
    (folder / program.name).write_bytes(program.read_bytes())
    study = folder / "study.toml"
    study.write_text(for_program(program.name, name or "program", parties, preprocessing), encoding="utf-8")
    return study


def _named_file(text: str) -> tuple[str, Path]:
    name, separator, file = text.partition("=")
    if not separator:
        raise click.BadParameter(f"{text}: say NAME=FILE", param_hint="--data")
    return name, Path(file)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)

"""The command line: its list of commands, and how one that can not do its work ends.

https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands
"""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

import click
from typing_extensions import override

from fhir_service import __version__
from fhir_service.fhir.issues import Refusal
from fhir_service.settings import BadSettings

COMMANDS: Final = {
    "serve": ("serve", "Serve the FHIR interface."),
    "demo": ("demo", "See it work on throw-away data."),
    "token": ("token", "Print an access token for the operator."),
    "client": ("client", "Register the programs that may ask for tokens."),
    "grant": ("grant", "List or end what people allowed apps to see."),
    "keys": ("keys", "Rotate the keys that tokens are signed with."),
    "settings": ("settings_shown", "List every setting, its value and its meaning."),
    "check": ("check", "Check the mappings against the forms."),
    "form": ("form", "Check, outline or publish forms."),
    "db": ("db", "Upgrade, check, back up or restore the database."),
    "patient": ("patient", "Export or erase what is stored of a patient."),
    "outbox": ("outbox", "See, retry, release or close what the EHR is owed."),
    "deliver": ("deliver", "Deliver what the EHR is owed."),
    "ehr": ("ehr", "See what the EHR takes, what it changed, and our keys there."),
    "login-code": ("login_code", "Print a code that lets one member of staff in."),
    "link": ("link", "Make, list or revoke links that need no login."),
}
"""Each command: the module of this package that holds it as ``command``, and its one line."""

FAILED: Final = 1
MISUSED: Final = 2
INTERRUPTED: Final = 130


class Failed(Exception):
    """The command can not do what is asked; the message is one line for the operator."""


class Commands(click.Group):
    """The commands, each imported when it is called: ``--help`` and ``token`` stay quick."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of COMMANDS."""
        del ctx
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"fhir_service.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in the help, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fhir-service")
def commands() -> None:
    """Take a patient's answers, check them, and sum them up for the oncologist.

    What an installation is made of is set by environment variables; `fhir-service settings`
    lists them.
    """


def main() -> None:
    """Run the command that was asked for, and end the process.

    Exit status 0: done; 1: it could not be done; 2: the command or a setting is wrong; 130:
    interrupted. Whatever goes wrong is told in one line on standard error.
    """
    sys.excepthook = tell_fault
    ended: object = 0
    try:
        ended = commands.main(prog_name="fhir-service", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
        sys.exit(MISUSED)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _end("interrupted", INTERRUPTED)
    except BadSettings as bad:
        _end(str(bad), MISUSED)
    except Failed as failed:
        _end(str(failed), FAILED)
    except Refusal as refused:
        _end(refused.says, FAILED)
    except OSError as wrong:
        where = f" ({wrong.filename})" if wrong.filename else ""
        _end(f"{wrong.strerror or type(wrong).__name__}{where}", FAILED)
    sys.exit(ended if isinstance(ended, int) else 0)


def tell_fault(
    kind: type[BaseException], fault: BaseException, trace: TracebackType | None
) -> None:
    """Tell a fault of ours in one line: its type and its places, not its message.

    The message could quote a patient, and this line goes to logs.
    """
    del fault
    frames = traceback.extract_tb(trace)[-3:]
    places = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
    click.echo(f"fhir-service: a fault of this program: {kind.__name__} at {places}", err=True)


def _end(says: str, status: int) -> None:
    click.echo(f"fhir-service: {says}", err=True)
    sys.exit(status)

"""`alexandria keys`: what encrypts stored secrets and signs access tokens, and its rotation."""

import typer

from alexandria.workflows.identity.rotation import Rotation, retire_keys, rotate_keys, show_keys
from pipelines.cli.console import HomeOption, JsonOption, opened, out, print_json, print_table

app = typer.Typer(help="Show and rotate the keys that encrypt and sign.")


@app.command("show")
def show(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show where the keys are and how many; never a key itself.

    Example: alexandria keys show
    """
    with opened(home) as workspace:
        state = show_keys(workspace)
    if as_json:
        print_json(state)
        return
    where = ", ".join(state.sources)
    out.print(f"Keys that decrypt: {state.key_count}, in {where}. The first encrypts.")
    rows = [
        [one.key_id, "verifies" if one.retired_at else "signs", one.retired_at]
        for one in state.signing_keys
    ]
    print_table("Keys of access tokens", ["Id", "It", "Retired"], rows)


@app.command("rotate")
def rotate(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Sign and encrypt with new keys from now on, and encrypt again what is stored.

    Nobody is signed out. If it is killed, run it again.

    Example: alexandria keys rotate
    """
    with opened(home) as workspace:
        rotation = rotate_keys(workspace)
    _print(rotation, as_json=as_json)


@app.command("retire")
def retire(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Drop the old keys of the file, after encrypting again what still needs them.

    Where original files are encrypted, start every process anew before.

    Example: alexandria keys retire
    """
    with opened(home) as workspace:
        rotation = retire_keys(workspace)
    _print(rotation, as_json=as_json)


def _print(done: Rotation, *, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    if done.signing_key_id:
        out.print(f"Signing with [bold]{done.signing_key_id}[/].", highlight=False)
    out.print(
        f"Encrypted again: {done.signing_keys} signing keys, {done.settings} settings, "
        f"{done.original_files} original files. "
        f"Old keys dropped: {done.dropped}, left: {done.left}.",
        highlight=False,
    )
    if done.advice:
        out.print(done.advice, highlight=False)

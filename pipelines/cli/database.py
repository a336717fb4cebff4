"""`alexandria migrate`: the newest schema, before anything else starts."""

from alexandria.workflows.operating.migrating import bring_up_to_date
from pipelines.cli.console import (
    HomeOption,
    JsonOption,
    out,
    plain_errors,
    print_json,
    read_settings,
)


def migrate(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Bring the schema up to date; running it again does nothing.

    The API's account gets the password of its address, where the settings name both addresses.

    Example: alexandria migrate
    """
    with plain_errors():
        done = bring_up_to_date(read_settings(home))
    if as_json:
        print_json(done)
        return
    state = "is now" if done.is_changed else "was already"
    out.print(f"The schema {state} at {done.revision}.", highlight=False)
    if done.is_password_set:
        out.print("The API's account has the password of its address.")

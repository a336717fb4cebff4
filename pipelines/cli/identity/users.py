"""`alexandria users`: who has an account, and what they may do."""

import sys
from typing import Annotated

import typer

from alexandria.errors import InvalidInputError, NotFoundError
from alexandria.identity.permissions import Role
from alexandria.workflows.identity.accounts import (
    NewUser,
    User,
    UserChange,
    add_user,
    change_user,
    find_user,
    list_users,
    reset_password,
)
from alexandria.workflows.identity.audit import OPERATOR
from alexandria.workflows.workspace import Workspace
from pipelines.cli.console import (
    HomeOption,
    JsonOption,
    TenantOption,
    opened,
    out,
    print_json,
    print_table,
)

app = typer.Typer(help="Add, list and change the accounts of the library.")

_PAGE = 1000
EmailArgument = Annotated[str, typer.Argument(help="Email address of the account.")]
GroupOption = Annotated[
    list[str] | None, typer.Option("--group", help="Group for access lists; repeatable.")
]
StdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password's line from standard input.")
]


@app.command("add")
def add(
    email: EmailArgument,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.USER,
    name: Annotated[str, typer.Option(help="Name they are shown by.")] = "",
    username: Annotated[str | None, typer.Option(help="Another name to sign in with.")] = None,
    group: GroupOption = None,
    password_stdin: StdinOption = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They sign in at a provider only.")
    ] = False,
    tenant: TenantOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account; the password is asked for.

    Example: alexandria users add ines@example.org --role viewer --group keepers
    """
    with opened(home, tenant=tenant) as workspace:
        password = None if no_password else _read_password(from_stdin=password_stdin)
        new = NewUser(email, password, username, name, role, tuple(group or ()))
        user = add_user(workspace, new, actor=OPERATOR)
    _show(user, "can sign in" if password else "can sign in at a provider", as_json=as_json)


@app.command("list")
def show(tenant: TenantOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show every account.

    Example: alexandria users list
    """
    with opened(home, tenant=tenant) as workspace:
        users = _all_users(workspace)
    if as_json:
        print_json(users)
        return
    rows = [
        [
            one.email,
            one.role,
            ", ".join(one.groups),
            one.is_active,
            one.is_email_proved,
            one.last_login_at,
        ]
        for one in users
    ]
    columns = ["Email", "Role", "Groups", "Active", "Proved", "Signed in"]
    print_table("Users", columns, rows)


@app.command("change")
def change(
    email: EmailArgument,
    role: Annotated[Role | None, typer.Option(help="What they may do from now on.")] = None,
    group: GroupOption = None,
    no_groups: Annotated[
        bool, typer.Option("--no-groups", help="Take them out of every group.")
    ] = False,
    active: Annotated[
        bool | None,
        typer.Option(
            "--active/--inactive",
            help="Whether they may sign in; --inactive signs them out everywhere too.",
        ),
    ] = None,
    proved: Annotated[
        bool | None,
        typer.Option(
            "--proved/--unproved",
            help="Whether the address is known to be theirs; access lists go by it only then.",
        ),
    ] = None,
    tenant: TenantOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what somebody may do; groups that are given replace those before.

    Example: alexandria users change ines@example.org --role admin
    """
    groups = group or ([] if no_groups else None)
    with opened(home, tenant=tenant) as workspace:
        user = _own_user(workspace, email)
        wanted = UserChange(role, groups, active, proved)
        user = change_user(workspace, user.user_id, wanted, actor=OPERATOR)
    _show(user, f"is {user.role}" if user.is_active else "may not sign in", as_json=as_json)


@app.command("password")
def password(
    email: EmailArgument,
    password_stdin: StdinOption = False,
    tenant: TenantOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set somebody's password and sign them out everywhere; it is asked for.

    Example: alexandria users password ines@example.org
    """
    with opened(home, tenant=tenant) as workspace:
        user = _own_user(workspace, email)
        user = reset_password(workspace, user.email, _read_password(from_stdin=password_stdin))
    _show(user, "has another password", as_json=as_json)


def _read_password(*, from_stdin: bool) -> str:
    """Never an argument: those show in the list of processes and in the shell's history."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidInputError("Nobody can be asked for a password here; use --password-stdin.")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _own_user(workspace: Workspace, email: str) -> User:
    user = find_user(workspace, email)
    if user.tenant_id != workspace.tenant_id:
        raise NotFoundError(f"No account of the library {workspace.tenant_id} has that address.")
    return user


def _all_users(workspace: Workspace) -> list[User]:
    users, count = list_users(workspace, limit=_PAGE)
    while len(users) < count:
        more, count = list_users(workspace, limit=_PAGE, offset=len(users))
        users += more
        if not more:
            break
    return users


def _show(user: User, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(user)
    else:
        out.print(f"[bold]{user.email}[/] {what}.", highlight=False)

"""Broken rules of the gateway, of what it stands on, and of who comes in. See `breaks`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from casemate.access import directory, flow, leave, outsiders, publish, threads
from casemate.access.state import State
from casemate.accounts import Meter
from casemate.crypto import chain
from casemate.doors import bedrock
from casemate.engines import segment_fold
from casemate.identity import jws, split_key, token
from casemate.labels import Label, Policies
from casemate.models import guard, health, route
from casemate.store import snapshot


@contextmanager
def quota_counters_merged() -> Iterator[None]:
    """One counter of a project or key for all domains."""
    right = Meter._counter
    first: list[Label] = []

    def wrong(self: Meter, domain: Label, subject: str, now: int) -> Any:
        first.append(domain)
        return right(self, first[0], subject, now)

    with patch.object(Meter, "_counter", wrong):
        yield


@contextmanager
def threads_shared() -> Iterator[None]:
    """What computes above keeps those below waiting."""
    right = threads.Threads.run
    with patch.object(threads.Threads, "run", lambda self, domain, *work: right(self, "", *work)):
        yield


@contextmanager
def health_shared() -> Iterator[None]:
    """A breaker that opens above is open below."""
    right = health.Health.of
    with patch.object(health.Health, "of", lambda self, domain, model: right(self, "", model)):
        yield


@contextmanager
def retry_budget_shared() -> Iterator[None]:
    """Retries that are spent above are missing below."""
    asked, retried = health.Health.asked, health.Health.may_retry
    with (
        patch.object(health.Health, "asked", lambda self, domain: asked(self, "")),
        patch.object(health.Health, "may_retry", lambda self, domain: retried(self, "")),
    ):
        yield


@contextmanager
def failover_below() -> Iterator[None]:
    """Where all that is accredited fails, the next one is asked."""
    right = route._left_out

    def wrong(card: Any, *given: Any) -> str:
        rule = right(card, *given)
        return "" if rule == "accreditation" else rule

    with patch.object(route, "_left_out", wrong):
        yield


def guard_asleep() -> Any:
    """What a model says is not looked at."""
    return patch.object(guard.Guard, "judge", lambda self, line: None)


def nothing_may_mark() -> Any:
    """A stream goes on before it is known whether a mark begins there."""
    return patch.object(Policies, "may_mark", lambda self, line: False)


def nothing_may_hold() -> Any:
    """The quick look at a body finds nothing, ever."""
    return patch.object(Policies, "may_hold", lambda self, body: False)


def salt_shared() -> Any:
    """One cache of prefixes for everybody."""
    return patch.object(flow.Flow, "salt", lambda self: "0" * 64)


def salt_of_the_rung() -> Any:
    """What a request above warms in a rung is warm below."""

    def wrong(self: flow.Flow) -> str:
        access = self.gate.classes.of(self.acting)
        return self.gate.vault.sealer.blind(access.id, "cache-salt", self.gate.vault.region.agency).hex()[:64]

    return patch.object(flow.Flow, "salt", wrong)


@contextmanager
def _hasty(name: str) -> Iterator[None]:
    """One step of what leaves, without waiting for the disk."""
    right = getattr(leave, name)

    async def at_once(self: State) -> None:
        return

    async def wrong(*given: Any) -> Any:
        with patch.object(State, "durable", at_once):
            return await right(*given)

    with patch.object(leave, name, wrong):
        yield


def release_not_durable() -> Any:
    """A response leaves before its entry is on the disk."""
    return _hasty("release")


def lend_not_durable() -> Any:
    """A lend leaves the region before its entry is on the disk."""
    return _hasty("lend")


def fold_without_mark() -> Any:
    """The sequencer folds entries and does not write down how far it is."""
    return patch.object(segment_fold, "Mark", lambda name, place, end: segment_fold_mark(name, place))


def segment_fold_mark(name: str, place: int) -> Any:
    """A mark that stays where it is."""
    from casemate.store import Mark

    return Mark(name, place, place)


@contextmanager
def snapshot_of_any_age() -> Iterator[None]:
    """A snapshot that is older than the last one is stood on."""
    right = publish.Standing.take

    def wrong(self: publish.Standing, raw: bytes) -> None:
        self.sequence = 0
        right(self, raw)

    with patch.object(publish.Standing, "take", wrong):
        yield


def snapshot_of_anybody() -> Any:
    """A snapshot that anybody has signed is stood on."""

    def wrong(signed: bytes, public: bytes) -> bytes:
        del public
        import msgspec

        return msgspec.msgpack.decode(signed, type=snapshot._Signed).body

    return patch.object(snapshot, "_believed", wrong)


@contextmanager
def revoked_key_kept() -> Iterator[None]:
    """Sessions that were made once outlive the snapshot that they were made of, and their key."""
    right, bearer = directory.Directory.serve, directory.Directory._bearer

    def serve(self: directory.Directory, records: Any, term: Any) -> None:
        kept = self._kept
        right(self, records, term)
        self._kept = kept

    def wrong(self: directory.Directory, credential: Any) -> Any:
        kept = self._kept.get(split_key(credential.secret).id)
        return kept if kept is not None else bearer(self, credential)

    with patch.object(directory.Directory, "serve", serve), patch.object(directory.Directory, "_bearer", wrong):
        yield


@contextmanager
def bedrock_unlooked_at() -> Iterator[None]:
    """The routes of one wire name no texts."""
    right = bedrock._asks

    def wrong(*given: Any) -> Any:
        from dataclasses import replace

        return replace(right(*given), texts=None)

    with patch.object(bedrock, "_asks", wrong):
        yield


@contextmanager
def audience_unchecked() -> Iterator[None]:
    """A token that is for somebody else's door opens ours."""
    from dataclasses import replace

    right = token._stands

    def wrong(found: Any, provider: Any, now: float) -> bool:
        return right(replace(found, payload={**found.payload, "aud": provider.audience}), provider, now)

    with patch.object(token, "_stands", wrong):
        yield


def header_keys_passed() -> Any:
    """A token may name its own key, or what changes its reading."""
    return patch.object(jws, "_REFUSED", frozenset())


def always_current() -> Any:
    """Revocation lists are not looked at."""
    return patch.object(chain.Anchors, "_current", lambda self, below, above, moment: True)


@contextmanager
def authority_without_ceiling() -> Iterator[None]:
    """What an authority has signed counts, however high it goes."""
    from dataclasses import replace

    right = outsiders.Outsiders._told

    def wrong(self: Any, name: str, outsider: Any, id: str) -> Any:
        trust = self._vault.trust
        known = trust.authorities()
        ceiling = self._vault.region.ceiling
        raised = {each: replace(authority, ceiling=ceiling) for each, authority in known.items()}
        with patch.object(type(trust), "authorities", lambda _: raised):
            return right(self, name, outsider, id)

    with patch.object(outsiders.Outsiders, "_told", wrong):
        yield

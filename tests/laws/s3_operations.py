"""What the two worlds do through the S3 wire: buckets, objects, parts, tags, lists, and what is not here.

Names are few, so that hidden sessions meet the observer's names all the time: the same bucket at several floors, the
same key at several labels, conditions on what may lie above, and uploads whose ids were made elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Mapping
from urllib.parse import quote

from casemate.clock import iso
from casemate.doors.s3.elsewhere import routes as elsewhere
from casemate.identity import SignedHead
from casemate.identity.sigv4 import Authorization
from casemate.identity.sigv4_s3 import Shown, signature
from tests.laws.operations import Doing, operation, sentence
from tests.laws.world import Seen, World

ONE, KEY = "/{bucket}", "/{bucket}/{key*}"
PART = f"{KEY}?partNumber&uploadId"
BUCKETS = ("law-one", "law-two")
KEYS = ("plan", "plan/a", "plan/b", "deep/x/y", "zone", "never")
REGION = "law-1"


async def ask(
    world: World,
    who: str,
    method: str,
    path: str,
    query: Mapping[str, str] | None = None,
    body: bytes = b"",
    more: Mapping[str, str] | None = None,
) -> Seen:
    """One signed request through the whole frame."""
    key_id, secret = world.signers[who]
    stamp = iso(world.clock.now())[:19].replace("-", "").replace(":", "") + "Z"
    digest = hashlib.sha256(body).hexdigest()
    given = {"host": "region.test", "x-amz-content-sha256": digest, "x-amz-date": stamp, **(more or {})}
    headers = tuple(sorted((name, value) for name, value in given.items()))
    names = tuple(name for name, _ in headers)
    asked = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in (query or {}).items())
    raw = quote(path, safe="/~")
    head = SignedHead(key_id, method, raw, asked, headers, "")
    auth = Authorization(key_id, stamp[:8], REGION, "s3", names, "")
    made = signature(head, Shown(auth, stamp, digest), secret)
    scope = f"Credential={key_id}/{stamp[:8]}/{REGION}/s3/aws4_request"
    shown = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders={';'.join(names)}, Signature={made}"
    sent = [*headers, ("authorization", shown), ("content-length", str(len(body)))]
    scope_of = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": raw.encode(),
        "query_string": asked.encode(),
        "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in sent],
        "client": ("127.0.0.1", 1),
    }
    return await world._drive(scope_of, body)


class Hand:
    """Somebody at one label: what he writes bears it, what he reads is seen from it."""

    def __init__(self, world: World, who: str, label: str) -> None:
        self.world, self.who, self.label = world, who, label
        self.seen: list[Seen] = []

    async def write(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b"", **more: str
    ) -> Seen:
        return await self._ask(method, path, query, body, {"x-amz-meta-casemate-label": self.label}, more)

    async def look(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b"", **more: str
    ) -> Seen:
        return await self._ask(method, path, query, body, {"casemate-acting-label": self.label}, more)

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes,
        at: dict[str, str],
        more: dict[str, str],
    ) -> Seen:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        seen = await ask(self.world, self.who, method, path, query, body, {**at, **named})
        self.seen.append(seen)
        return seen

    async def plain(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b"", **more: str
    ) -> Seen:
        """A request whose label stands in an upload's id."""
        return await self._ask(method, path, query, body, {}, more)

    async def settled(self, bucket: str, *keys: str) -> None:
        """A bucket at this label, with these keys in it, as far as that may be."""
        await self.look("PUT", f"/{bucket}")
        for key in keys:
            await self.write("PUT", f"/{bucket}/{key}", body=f"{key} at {self.label}".encode())

    def together(self) -> Seen:
        """All that he was told, as one: every status and header, every piece, and what the last request called."""
        heads = [(str(n), f"{one.status} {one.headers}") for n, one in enumerate(self.seen)]
        pieces = tuple(piece for one in self.seen for piece in one.pieces)
        return Seen(self.seen[-1].status, tuple(heads), pieces, self.seen[-1].calls)


@operation(
    ("PUT", ONE), ("DELETE", ONE), ("HEAD", ONE), ("GET", "/"), ("GET", f"{ONE}?location"), ("GET", f"{ONE}?versioning")
)
def s3_buckets(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    bucket, drops = rng.choice(BUCKETS), rng.random() < 0.3

    async def do(world: World) -> Seen:
        hand = Hand(world, who, label)
        await hand.look("PUT", f"/{bucket}")
        await hand.look("HEAD", f"/{bucket}")
        await hand.look("GET", f"/{bucket}", {"location": ""})
        await hand.look("GET", f"/{bucket}", {"versioning": ""})
        if drops:
            await hand.look("DELETE", f"/{bucket}")
        await hand.look("GET", "/")
        return hand.together()

    return do, ""


@operation(("PUT", KEY), ("GET", KEY), ("HEAD", KEY), ("DELETE", KEY))
def s3_objects(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """A key that may lie above too: put, perhaps on a condition, read in several ways, perhaps removed."""
    path, text = f"/{rng.choice(BUCKETS)}/{rng.choice(KEYS)}", sentence(rng)
    condition = rng.choice(({}, {}, {"if_none_match": "*"}, {"if_match": '"0"'}))
    reads = rng.choice(({}, {"range": "bytes=0-3"}, {"if_none_match": '"0"'}))
    removes, puts = rng.random() < 0.3, rng.random() < 0.7

    async def do(world: World) -> Seen:
        hand = Hand(world, who, label)
        await hand.settled(path.split("/")[1])
        if puts:
            await hand.write("PUT", path, body=text.encode(), **condition)
        await hand.look("HEAD", path, **reads)
        if removes:
            await hand.write("DELETE", path)
        await hand.look("GET", path, **reads)
        return hand.together()

    return do, text


@operation(("GET", ONE), ("GET", f"{ONE}?list-type"))
def s3_lists(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Pages small enough that what is hidden would move their ends."""
    bucket, own = rng.choice(BUCKETS), rng.sample(KEYS, 3)
    query = {"max-keys": rng.choice(("1", "2", "1000")), **rng.choice(({}, {"delimiter": "/"}, {"prefix": "plan"}))}

    async def do(world: World) -> Seen:
        hand = Hand(world, who, label)
        await hand.settled(bucket, *own)
        await hand.look("GET", f"/{bucket}", query)
        token: dict[str, str] = {}
        for _ in range(4):
            seen = await hand.look("GET", f"/{bucket}", {**query, "list-type": "2", **token})
            found = re.search(rb"<NextContinuationToken>(.*?)<", seen.body)
            if found is None:
                break
            token = {"continuation-token": found[1].decode()}
        return hand.together()

    return do, ""


@operation(
    ("PUT", KEY),
    ("PUT", f"{KEY}?tagging"),
    ("GET", f"{KEY}?tagging"),
    ("DELETE", f"{KEY}?tagging"),
    ("POST", f"{ONE}?delete"),
)
def s3_copies_tags_and_removals(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    bucket, source, to = rng.choice(BUCKETS), rng.choice(KEYS), rng.choice(KEYS)
    body = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    many = "".join(f"<Object><Key>{key}</Key></Object>" for key in rng.sample(KEYS, 3))

    async def do(world: World) -> Seen:
        hand = Hand(world, who, label)
        await hand.settled(bucket, "plan")
        await hand.write("PUT", f"/{bucket}/{to}", x_amz_copy_source=f"/{bucket}/{source}")
        await hand.write("PUT", f"/{bucket}/{to}", {"tagging": ""}, body)
        await hand.look("GET", f"/{bucket}/{source}", {"tagging": ""})
        await hand.write("DELETE", f"/{bucket}/{source}", {"tagging": ""})
        await hand.write("POST", f"/{bucket}", {"delete": ""}, f"<Delete>{many}</Delete>".encode())
        await hand.look("GET", f"/{bucket}")
        return hand.together()

    return do, ""


@operation(
    ("POST", f"{KEY}?uploads"),
    ("PUT", PART),
    ("POST", f"{KEY}?uploadId"),
    ("DELETE", f"{KEY}?uploadId"),
    ("GET", f"{KEY}?uploadId"),
    ("GET", f"{ONE}?uploads"),
)
def s3_parts(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """An upload from its beginning to its end, and a part of one whose id was made by somebody else, or by nobody."""
    path, ends = f"/{rng.choice(BUCKETS)}/{rng.choice(KEYS)}", rng.choice(("POST", "DELETE", ""))
    place = rng.random()

    async def do(world: World) -> Seen:
        hand = Hand(world, who, label)
        bucket = path.split("/")[1]
        await hand.settled(bucket, "plan")
        begun = await hand.write("POST", path, {"uploads": ""})
        found = re.search(rb"<UploadId>(.*?)<", begun.body)
        ids = sorted(one for one in world.prints if one.startswith("upl_"))
        foreign = ids[int(place * len(ids))] if ids else "upl_never"
        await hand.plain("PUT", path, {"partNumber": "1", "uploadId": _sealed(label, foreign)}, b"x")
        if found is not None:
            id = found[1].decode()
            world.prints[id.partition(".")[2]] = label
            number = {"partNumber": "1", "uploadId": id}
            await hand.plain("PUT", path, number, x_amz_copy_source=f"/{bucket}/plan")
            part = await hand.plain("PUT", path, number, b"a part")
            await hand.plain("GET", path, {"uploadId": id})
            listed = f"<Part><PartNumber>1</PartNumber><ETag>{part.header('etag')}</ETag></Part>"
            body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>" if ends == "POST" else ""
            if ends:
                await hand.plain(ends, path, {"uploadId": id}, body.encode())
        await hand.look("GET", f"/{bucket}", {"uploads": ""})
        return hand.together()

    return do, ""


def _sealed(label: str, id: str) -> str:
    """An id that somebody else's upload has, as if it lay at one's own label."""
    return f"{base64.urlsafe_b64encode(label.encode()).decode().rstrip('=')}.{id}"


@operation(*((route.method, route.path) for route in elsewhere("s3")))
def s3_elsewhere(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    bucket, key = rng.choice(BUCKETS), rng.choice(KEYS)
    method, path, field = rng.choice(
        (
            ("GET", f"/{bucket}", "acl"),
            ("PUT", f"/{bucket}", "policy"),
            ("DELETE", f"/{bucket}", "cors"),
            ("PUT", f"/{bucket}", "versioning"),
            ("POST", f"/{bucket}", ""),
            ("GET", f"/{bucket}/{key}", "acl"),
            ("PUT", f"/{bucket}/{key}", "retention"),
            ("POST", f"/{bucket}/{key}", "restore"),
        )
    )

    async def do(world: World) -> Seen:
        hand = Hand(world, who, label)
        return await hand.look(method, path, {field: ""} if field else None)

    return do, ""

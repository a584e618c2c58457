"""Buckets and tokens, made with an administrator's token that is used once and never kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.authorization import Authorization
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.permission import Permission
from influxdb_client.domain.permission_resource import PermissionResource
from influxdb_client.rest import ApiException

from factoryops.domain.errors import SetupError, UnavailableError
from factoryops.domain.retention import RetentionPolicy
from factoryops.history.influx.flux import marker_query
from factoryops.history.influx.rollups import FORMS
from factoryops.history.influx.tokens import ClosedBucketError, Right, TokenFolder
from factoryops.history.influx.transport import InfluxConfig, Transport, words_of

BUCKETS: Final = ("", *FORMS.values())
"""A factory's buckets: of samples, and of roll-ups per minute and hour."""
_FOR_EVER: Final[Mapping[str, int]] = MappingProxyType({})
_REFUSED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def bucket_days(policies: Sequence[RetentionPolicy]) -> dict[str, int]:
    """How long each bucket of a factory must keep what it holds: as long as the longest policy; 0 is for ever.

    A bucket cannot tell parameters apart, so what a policy for a few of them would give up sooner stays with the rest.
    """
    if not any(not policy.parameters for policy in policies):
        return {}
    kept = [(policy.keep.raw_days, policy.keep.minute_days, policy.keep.hour_days) for policy in policies]
    return {form: 0 if 0 in days else max(days) for form, days in zip(BUCKETS, zip(*kept, strict=True), strict=True)}


def faults_of(config: InfluxConfig, factory: str) -> list[str]:
    """What keeps the service from writing or reading a factory's bucket, in sentences; changes nothing.

    Raises:
        UnavailableError: the server is away.
    """
    return list(dict.fromkeys(fault for right in Right if (fault := _fault(config, factory, right))))


def _fault(config: InfluxConfig, factory: str, right: Right) -> str:
    transport = Transport(config)
    try:
        for form in BUCKETS:
            bucket = config.bucket(factory, form)
            if right is Right.READ:
                transport.query(factory, marker_query(bucket, (0, 1)))
            else:
                transport.touch(factory, bucket)
    except ClosedBucketError as error:
        return str(error)
    finally:
        transport.close()
    return ""


class Administration:
    """Makes what one installation needs on the server; a second run changes nothing.

    Args:
        config: the server; its tokens are not used.
        admin_token: may make buckets and tokens.
        folder: where the service's own tokens go.

    Raises (every method):
        UnavailableError: the server is away.
        SetupError: it does not let us; says what to do.
    """

    def __init__(self, config: InfluxConfig, admin_token: str, folder: TokenFolder) -> None:
        self._config = config
        self._folder = folder
        self._client = InfluxDBClient(
            url=config.url, token=admin_token, org=config.org, timeout=int(config.timeout_s * 1_000)
        )

    def prepare(self, factory: str, keep_days: Mapping[str, int] = _FOR_EVER) -> list[str]:
        """A factory's buckets and its two tokens, where they are missing; what was done, in words.

        Args:
            factory: its id.
            keep_days: how long the bucket of samples ("") and those of roll-ups ("minute", "hour") keep theirs; 0, or
                left out, is for ever.
        """
        with self._translated():
            found = [self._bucket(self._config.bucket(factory, form), keep_days.get(form, 0)) for form in BUCKETS]
        missing = [right for right in Right if _fault(self._config, factory, right)]
        with self._translated():
            done = [self._replace_token(factory, [bucket for bucket, _ in found], right) for right in missing]
        return [word for _, words in found for word in words] + done

    def rotate(self, factory: str) -> list[str]:
        """New tokens in the place of a factory's old ones, which stop working when the new ones are in their files."""
        with self._translated():
            names = [self._config.bucket(factory, form) for form in BUCKETS]
            buckets = [self._client.buckets_api().find_bucket_by_name(name) for name in names]  # type: ignore[no-untyped-call]  # influxdb-client gives its models no types
            if None in buckets:
                raise SetupError(
                    f"The bucket {names[buckets.index(None)]} is missing; run: factoryops-service influx setup"
                )
            return [self._replace_token(factory, buckets, right) for right in Right]

    def _bucket(self, name: str, keep_days: int) -> tuple[Any, list[str]]:
        api = self._client.buckets_api()
        keep_s = keep_days * 86_400
        rules = BucketRetentionRules(type="expire", every_seconds=keep_s)  # type: ignore[no-untyped-call]  # as above
        bucket = api.find_bucket_by_name(name)  # type: ignore[no-untyped-call]  # as above
        if bucket is None:
            made = api.create_bucket(bucket_name=name, org=self._config.org, retention_rules=rules)
            return made, [f"The bucket {name} was made."]
        kept_s = bucket.retention_rules[0].every_seconds if bucket.retention_rules else 0
        if kept_s == keep_s:
            return bucket, []
        bucket.retention_rules = [rules]
        lasting = f"for {keep_days} days" if keep_days else "for ever"
        return api.update_bucket(bucket), [f"The bucket {name} keeps what it holds {lasting} now."]

    def _replace_token(self, factory: str, buckets: Sequence[Any], right: Right) -> str:
        """Make a token, put it into its file, and end those that were made for the same purpose before."""
        api = self._client.authorizations_api()
        bucket = buckets[0]
        purpose = f"FactoryOps: {right} {bucket.name}"
        known = api.find_authorizations()  # type: ignore[no-untyped-call]  # as above
        old = [one for one in known if one.description == purpose]
        permissions = [_permission(one, right) for one in buckets]
        wanted = Authorization(org_id=bucket.org_id, permissions=permissions, description=purpose)  # type: ignore[no-untyped-call]  # as above
        made = api.create_authorization(authorization=wanted)
        self._folder.put(factory, right, made.token)
        for one in old:
            api.delete_authorization(one)  # type: ignore[no-untyped-call]  # as above
        return f"A token to {right} {bucket.name} was made" + (" in the place of an older one." if old else ".")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except urllib3.exceptions.HTTPError as error:
            raise UnavailableError(f"InfluxDB at {self._config.url} does not answer ({error}).") from error
        except ApiException as error:
            advice = "Give an administrator's token (all access, or operator)." if error.status in _REFUSED else ""
            raise SetupError(
                f"InfluxDB at {self._config.url} refuses ({error.status}: {words_of(error)}). {advice}".rstrip()
            ) from error

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()  # type: ignore[no-untyped-call]  # as above


def _permission(bucket: Any, right: Right) -> Any:
    resource = PermissionResource(type="buckets", id=bucket.id, org_id=bucket.org_id)  # type: ignore[no-untyped-call]  # as above
    return Permission(action=str(right), resource=resource)  # type: ignore[no-untyped-call]  # as above

"""Buckets and tokens, made with an administrator's token that is used once and never kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.authorization import Authorization
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.permission import Permission
from influxdb_client.domain.permission_resource import PermissionResource
from influxdb_client.rest import ApiException

from factoryops.domain.errors import SetupError, UnavailableError
from factoryops.history.influx.flux import marker_query
from factoryops.history.influx.tokens import ClosedBucketError, Right, TokenFolder
from factoryops.history.influx.transport import InfluxConfig, Transport, words_of

_REFUSED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def faults_of(config: InfluxConfig, factory: str) -> list[str]:
    """What keeps the service from writing or reading a factory's bucket, in sentences; changes nothing.

    Raises:
        UnavailableError: the server is away.
    """
    return list(dict.fromkeys(fault for right in Right if (fault := _fault(config, factory, right))))


def _fault(config: InfluxConfig, factory: str, right: Right) -> str:
    transport = Transport(config)
    try:
        if right is Right.READ:
            transport.query(factory, marker_query(config.bucket(factory), (0, 1)))
        else:
            transport.touch(factory)
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

    def prepare(self, factory: str, *, keep_s: int) -> list[str]:
        """A factory's bucket and its two tokens, where they are missing; what was done, in words.

        Args:
            factory: its id.
            keep_s: how long the bucket keeps samples; 0 for ever.
        """
        with self._translated():
            bucket, done = self._bucket(factory, keep_s)
        missing = [right for right in Right if _fault(self._config, factory, right)]
        with self._translated():
            return done + [self._replace_token(factory, bucket, right) for right in missing]

    def rotate(self, factory: str) -> list[str]:
        """New tokens in the place of a factory's old ones, which stop working when the new ones are in their files."""
        with self._translated():
            bucket = self._client.buckets_api().find_bucket_by_name(self._config.bucket(factory))  # type: ignore[no-untyped-call]  # as above
            if bucket is None:
                name = self._config.bucket(factory)
                raise SetupError(f"There is no bucket {name}; run: factoryops-service influx setup")
            return [self._replace_token(factory, bucket, right) for right in Right]

    def _bucket(self, factory: str, keep_s: int) -> tuple[Any, list[str]]:
        name = self._config.bucket(factory)
        api = self._client.buckets_api()
        rules = BucketRetentionRules(type="expire", every_seconds=keep_s)  # type: ignore[no-untyped-call]  # influxdb-client gives its models no types
        bucket = api.find_bucket_by_name(name)  # type: ignore[no-untyped-call]  # as above
        if bucket is None:
            made = api.create_bucket(bucket_name=name, org=self._config.org, retention_rules=rules)
            return made, [f"The bucket {name} was made."]
        kept_s = bucket.retention_rules[0].every_seconds if bucket.retention_rules else 0
        if kept_s == keep_s:
            return bucket, []
        bucket.retention_rules = [rules]
        return api.update_bucket(bucket), [f"The bucket {name} keeps samples {_lasting(keep_s)} now."]

    def _replace_token(self, factory: str, bucket: Any, right: Right) -> str:
        """Make a token, put it into its file, and end those that were made for the same purpose before."""
        api = self._client.authorizations_api()
        purpose = f"FactoryOps: {right} {bucket.name}"
        known = api.find_authorizations()  # type: ignore[no-untyped-call]  # as above
        old = [one for one in known if one.description == purpose]
        resource = PermissionResource(type="buckets", id=bucket.id, org_id=bucket.org_id)  # type: ignore[no-untyped-call]  # as above
        permission = Permission(action=str(right), resource=resource)  # type: ignore[no-untyped-call]  # as above
        wanted = Authorization(org_id=bucket.org_id, permissions=[permission], description=purpose)  # type: ignore[no-untyped-call]  # as above
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


def _lasting(keep_s: int) -> str:
    return f"for {keep_s / 86_400:g} days" if keep_s else "for ever"

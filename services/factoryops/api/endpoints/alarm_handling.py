"""What operators do with alarms. All of a request is done, or nothing; while the database is away it answers 503."""

from __future__ import annotations

from factoryops.api.call import Asking
from factoryops.contracts import alarm_orders, http
from factoryops.contracts.alarm_orders import Orders
from factoryops.domain.alarm_life import Deed
from factoryops.domain.errors import NotFoundError, UnavailableError
from factoryops.domain.time import now_us


async def acknowledge_alarms(body: http.AcknowledgeRequest, asking: Asking) -> http.AlarmList:
    """Acknowledge one alarm or many; each names the annunciation and renewal it answers.

    Repeating it changes nothing more. Alarms of some classes ask for a comment.
    """
    return await _carry_out(asking, alarm_orders.acknowledging(body, _deed(asking, body.comment)), "")


async def reset_alarms(body: http.ResetRequest, asking: Asking) -> http.AlarmList:
    """Reset latched alarms that have returned and are acknowledged; each names the annunciation."""
    return await _carry_out(asking, alarm_orders.resetting(body, _deed(asking, body.comment)), "alarm.reset")


async def shelve_alarms(body: http.ShelveRequest, asking: Asking) -> http.AlarmList:
    """Put alarms aside for a while, as far as their class permits; a request with the same id is done once."""
    orders = alarm_orders.shelving(body, _deed(asking, body.reason))
    return await _carry_out(asking, orders, "alarm.shelve", body.request_id)


async def unshelve_alarms(body: http.TakeUpRequest, asking: Asking) -> http.AlarmList:
    """Take up again what was shelved: what is still active is announced again."""
    return await _carry_out(asking, alarm_orders.unshelving(body, _deed(asking, body.comment)), "alarm.unshelve")


async def take_alarms_out(body: http.TakeOutRequest, asking: Asking) -> http.AlarmList:
    """Take alarms out of service; a request with the same id is done once."""
    orders = alarm_orders.taking_out(body, _deed(asking, body.reason))
    return await _carry_out(asking, orders, "alarm.take_out", body.request_id)


async def return_alarms(body: http.TakeUpRequest, asking: Asking) -> http.AlarmList:
    """Return alarms to service: what is still active is announced again."""
    return await _carry_out(asking, alarm_orders.returning(body, _deed(asking, body.comment)), "alarm.return")


async def prepare_alarms(rule_id: http.Identifier, body: http.QuietAlarmsRequest, asking: Asking) -> http.AlarmList:
    """The alarms of a rule on some devices, never raised ones too, so that they can be put aside beforehand."""
    scope, service = asking.scope, asking.service
    alarms = await asking.change(lambda tx: tx.quiet_alarms(scope).of_rule(rule_id, body.device_ids))
    service.hub.tell_alarms([(scope.factory_id, alarm) for alarm in alarms])
    return http.AlarmList(alarms=service.board.named(scope.factory_id, [alarm.id for alarm in alarms]))


def _deed(asking: Asking, said: str | None) -> Deed:
    return Deed(asking.scope.actor, now_us(), said)


async def _carry_out(asking: Asking, orders: Orders, action: str, request_id: str = "") -> http.AlarmList:
    scope, service = asking.scope, asking.service
    try:
        alarms = await asking.change(
            lambda tx: tx.alarm_handling(scope).carry_out(orders, action=action, request_id=request_id)
        )
    except NotFoundError:
        if len(service.board.named(scope.factory_id, orders)) == len(orders):
            raise UnavailableError(
                "An alarm is not recorded in the database yet; try again.", retry_after_s=1
            ) from None
        raise
    service.hub.tell_alarms([(scope.factory_id, alarm) for alarm in alarms])
    return http.AlarmList(alarms=service.board.named(scope.factory_id, [alarm.id for alarm in alarms]))

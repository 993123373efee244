"""What a recorded revision did."""

import numpy as np

from mainsequence.compute.membership_changes import change_of, entering, leaving, reweighted
from mainsequence.contract import explanations as contract
from mainsequence.domain.plans import RecordedChange
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry import ledger
from mainsequence.platform.services.membership_reads import state_of
from mainsequence.platform.services.spells import reweightings, spells
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.RECORDED)
def recorded_change(work: Work, body: contract.RecordedQuery, *, key: int) -> RecordedChange:
    """Say who gained and lost time as a member by one revision, and who weighs something else since."""
    state = state_of(work, key, body.revision, None)
    change = change_of(*ledger.recorded_by(work.connection, state.category_id, body.revision))
    names = ledger.identifiers(work.connection, np.unique(np.concatenate([change.closed.asset, change.opened.asset])))
    (revision,) = registry.revisions(work.connection, state.category_id, [body.revision])
    return RecordedChange(
        revision=revision,
        enters=spells(entering(change), names),
        leaves=spells(leaving(change), names),
        reweighted=reweightings(reweighted(change), names),
    )

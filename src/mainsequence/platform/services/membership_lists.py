"""Reading the members of many universes at once, for listings that show them."""

from mainsequence.contract import categories as contract
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry import membership_lists
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import category
from mainsequence.platform.services import membership_reads
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.ASSET_IDS_OF)
def asset_ids_of(work: Work, body: contract.CategorySelection) -> list[contract.CategoryMembers]:
    """Read the ids of the members of universes now; those that do not exist, for who asks at least, are left out."""
    wanted = within(work.connection, category.c.id, body.category_ids)
    seen = registry.selection().where(*seen_by(work.actor, category), wanted).order_by(category.c.id)
    records = registry.read(work.connection, seen)
    own = [record.id for record in records if record.kind == "members"]
    held = membership_lists.asset_ids_of(work.connection, own, work.now)
    held |= {
        record.id: membership_reads.asset_ids(work, contract.AsOf(), key=record.id)
        for record in records
        if record.kind != "members"
    }
    return [contract.CategoryMembers(id=record.id, asset_ids=held.get(record.id, [])) for record in records]

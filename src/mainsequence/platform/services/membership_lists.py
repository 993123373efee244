"""Reading the members of many universes at once, for listings that show them."""

from mainsequence.contract import categories as contract
from mainsequence.domain.categories import CategoryRecord
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry import membership_lists
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import category
from mainsequence.platform.services import derived, membership_reads
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.ASSET_IDS_OF)
def asset_ids_of(work: Work, body: contract.CategorySelection) -> list[contract.CategoryMembers]:
    """Read the ids of the members of universes now; those that do not exist, for who asks at least, are left out."""
    records = _seen(work, body)
    own = [record.id for record in records if record.kind == "members"]
    held = membership_lists.asset_ids_of(work.connection, own, work.now)
    held |= {
        record.id: membership_reads.asset_ids(work, contract.AsOf(), key=record.id)
        for record in records
        if record.kind != "members"
    }
    return [contract.CategoryMembers(id=record.id, asset_ids=held.get(record.id, [])) for record in records]


@carries_out(contract.MEMBER_COUNTS)
def member_counts(work: Work, body: contract.CategorySelection) -> list[contract.MemberCount]:
    """Count the members of universes now; those that do not exist, for who asks at least, are left out."""
    records = _seen(work, body)
    made = [record.id for record in records if derived.is_derived(record)]
    counted = membership_lists.counts(work.connection, [record.id for record in records], work.now)
    counted |= {key: len(membership_reads.asset_ids(work, contract.AsOf(), key=key)) for key in made}
    return [contract.MemberCount(id=record.id, members=counted.get(record.id, 0)) for record in records]


def _seen(work: Work, body: contract.CategorySelection) -> list[CategoryRecord]:
    """Give the universes of a selection that who asks may see, in the order of their ids."""
    wanted = within(work.connection, category.c.id, body.category_ids)
    seen = registry.selection().where(*seen_by(work.actor, category), wanted).order_by(category.c.id)
    return registry.read(work.connection, seen)

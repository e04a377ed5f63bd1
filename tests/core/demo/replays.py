"""The demo's procedures once more, in plain Python: what each must leave in its table.

Written from the procedures' text and SQL Server's documentation, sharing no code with the
interpreter or the compiler: an expected row of a test spec that two derivations agree on was not
adjusted to either of them. Tables are lists of rows; a row maps lower-case columns to values.
``gold.PartnerFeed`` is not here: its statements are data.
"""

from __future__ import annotations

import calendar
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

Row = dict[str, Any]
Database = defaultdict[str, list[Row]]
NO_MATCH: Row = defaultdict(lambda: None)


def load_dim_category(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    return [
        row | {"sortorder": isnull(row["sortorder"], 999)} for row in db["bronze.productcategory"]
    ]


def load_dim_store(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    def band(metres: int | None) -> str:
        if metres is None:
            return "n/a"
        return "S" if metres < 200 else "M" if metres < 1000 else "L"

    return [
        {
            "storeid": store["storeid"],
            "storename": trim(store["storename"]),
            "city": store["city"],
            "regionname": isnull(country["regionname"], "Unknown"),
            "sizeband": band(store["squaremeters"]),
            "openedon": store["openedon"],
        }
        for store in db["bronze.store"]
        if store["closedon"] is None
        for country in left_join(db["bronze.country"], countrycode=store["countrycode"])
    ]


def load_dim_customer(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    before = db["silver.dimcustomer"]
    after = {row["customerid"]: row for row in before}
    for customer in db["bronze.customer"]:
        if customer["istestaccount"]:
            continue
        (country,) = left_join(db["bronze.country"], countrycode=customer["countrycode"])
        first = customer["firstname"]
        email = nullif(trim(customer["emailaddress"]), "")
        points = isnull(customer["loyaltypoints"], 0)
        new = {
            "customerid": customer["customerid"],
            "fullname": trim(("" if first is None else first + " ") + customer["lastname"]),
            "emailaddress": email and email.lower(),
            "city": customer["city"],
            "countryname": isnull(country["countryname"], "Unknown"),
            "loyaltytier": "Gold" if points >= 5000 else "Silver" if points >= 1000 else "Basic",
        }
        old = after.get(new["customerid"])
        if old is None:
            after[new["customerid"]] = new | {"createdat": now, "updatedat": now}
        elif any(isnull(old[column], "") != isnull(value, "") for column, value in new.items()):
            after[new["customerid"]] = old | new | {"updatedat": now}
    return list(after.values())


def load_dim_product(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    versions = [dict(row) for row in db["silver.dimproduct"]]
    for product in db["bronze.product"]:
        (category,) = left_join(db["bronze.productcategory"], categorycode=product["categorycode"])
        wanted = {
            "productname": product["productname"],
            "categoryname": isnull(category["categoryname"], "Uncategorised"),
            "listprice": product["listprice"],
        }
        current = [v for v in versions if v["productid"] == product["productid"] and v["iscurrent"]]
        for version in current:
            if product["isdiscontinued"] or any(version[c] != v for c, v in wanted.items()):
                version |= {"validto": now, "iscurrent": 0}
        if not any(version["iscurrent"] for version in current) and not product["isdiscontinued"]:
            own = {column: product[column] for column in ("productid", "productcode")}
            opened = {"validfrom": now, "validto": None, "iscurrent": 1}
            versions.append(own | wanted | opened)
    return versions


def load_dim_order_profile(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    pairs = {
        (isnull(order["channelcode"], "UNKNOWN"), isnull(order["paymentcode"], "UNKNOWN"))
        for order in db["bronze.salesorder"]
    }
    return [
        {
            "channelcode": channel,
            "paymentcode": payment,
            "isgift": gift,
            "profilelabel": f"{channel} / {payment}" + (" (gift)" if gift else ""),
        }
        for channel, payment in pairs
        for gift in (0, 1)
    ]


def load_dim_promotion(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    return [
        row | {"endson": isnull(row["endson"], date(9999, 12, 31))}
        for row in db["bronze.promotion"]
    ]


def load_customer_contact(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    signups: dict[str, list[Row]] = defaultdict(list)
    for signup in db["bronze.websignup"]:
        if re.search(".@.", signup["emailaddress"] or ""):
            signups[trim(signup["emailaddress"]).lower()].append(signup)
    buyers: dict[str, list[int]] = defaultdict(list)
    for customer in db["bronze.customer"]:
        if customer["emailaddress"] is not None:
            buyers[trim(customer["emailaddress"]).lower()].append(customer["customerid"])
    contacts = []
    for email, group in signups.items():
        newest = max(group, key=lambda signup: (signup["signedupat"], signup["signupid"]))
        phone = newest["phone"]
        contacts.append(
            {
                "emailaddress": email,
                "fullname": nullif(trim(newest["fullname"]), ""),
                "phone": phone and phone.replace(" ", "").replace("-", ""),
                "consentflag": isnull(newest["consentflag"], 0),
                "firstsignupdate": min(signup["signedupat"] for signup in group).date(),
                "lastsignupdate": max(signup["signedupat"] for signup in group).date(),
                "signupcount": len(group),
                "customerid": min(buyers[email], default=None),
            }
        )
    return contacts


def load_fact_sales(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    before = db["silver.factsales"]
    last = max((row["orderdate"] for row in before), default=datetime(1900, 1, 1))
    orders = {
        order["orderid"]: order
        for order in db["bronze.salesorder"]
        if last < order["orderdate"] < (cutoff or datetime(9999, 12, 31))
        and order["statuscode"] != "X"
    }
    current = [row for row in db["silver.dimproduct"] if row["iscurrent"]]
    added = []
    for line in db["bronze.salesorderline"]:
        order = orders.get(line["orderid"])
        if order is None:
            continue
        gross = line["quantity"] * line["unitprice"]
        discount = gross * isnull(line["discountpct"], Decimal(0)) / 100
        added += [
            {column: line[column] for column in ("orderid", "linenumber", "quantity", "unitprice")}
            | {
                "orderdatekey": int(order["orderdate"].strftime("%Y%m%d")),
                "orderdate": order["orderdate"],
                "customerkey": isnull(customer["customerkey"], -1),
                "productkey": isnull(product["productkey"], -1),
                "storeid": order["storeid"],
                "discountamount": discount,
                "netamount": gross - discount,
                "loadedat": now,
            }
            for customer in left_join(db["silver.dimcustomer"], customerid=order["customerid"])
            for product in left_join(current, productid=line["productid"])
        ]
    return before + added


def load_fact_return(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    def group(reason: str | None) -> str:
        if not reason:
            return "none given"
        if "damaged" in reason or "broken" in reason:
            return "damaged"
        return "wrong item" if reason.startswith("wrong ") else "other"

    added = []
    for item in db["bronze.salesreturn"]:
        key = {"orderid": item["orderid"], "linenumber": item["linenumber"]}
        for line in left_join(db["bronze.salesorderline"], **key):
            worth = Decimal(0) if line is NO_MATCH else line["unitprice"] * item["quantity"]
            added.append(
                {
                    "returnid": item["returnid"],
                    "orderid": item["orderid"],
                    "productid": line["productid"],
                    "returndatekey": int(item["returnedon"].strftime("%Y%m%d")),
                    "quantity": item["quantity"],
                    "refundamount": isnull(item["refundamount"], worth),
                    "reasongroup": group(item["reasontext"]),
                    "loadedat": now,
                }
            )
    return db["silver.factreturn"] + added


def load_fact_inventory_snapshot(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    costs = {product["productid"]: product["unitcost"] for product in db["bronze.product"]}
    last: dict[tuple[date, int, int], Row] = {}
    for count in sorted(db["bronze.inventorycount"], key=lambda c: (c["countedat"], c["countid"])):
        day = count["countedat"].date()
        month_end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        last[(month_end, count["storeid"], count["productid"])] = count
    snapshot = []
    for (month_end, store, product), count in last.items():
        if product not in costs:
            continue
        quantity, minimum = isnull(count["onhandqty"], 0), count["minimumqty"]
        snapshot.append(
            {
                "snapshotdate": month_end,
                "storeid": store,
                "productid": product,
                "onhandqty": quantity,
                "stockvalue": quantity * costs[product],
                # T-SQL cuts the fraction off; Python's // would round down.
                "coverfactor": int(Decimal(quantity) / minimum) if minimum else None,
                "isbelowminimum": int(quantity < isnull(minimum, 0)),
            }
        )
    return snapshot


def load_fact_order_fulfilment(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    after = {row["orderid"]: row for row in db["silver.factorderfulfilment"]}
    for order in db["bronze.salesorder"]:
        old = after.get(order["orderid"])
        if order["statuscode"] not in ("N", "P", "S", "D") or (old and old["delivereddate"]):
            continue
        lines = [x for x in db["bronze.salesorderline"] if x["orderid"] == order["orderid"]]
        kept = old or {"customerid": order["customerid"], "orderdate": order["orderdate"]}
        paid = isnull(order["paiddate"], kept.get("paiddate"))
        shipped = isnull(order["shippeddate"], kept.get("shippeddate"))
        delivered = order["delivereddate"]
        stages = (("delivered", delivered), ("shipped", shipped), ("paid", paid), ("open", True))
        after[order["orderid"]] = kept | {
            "orderid": order["orderid"],
            "paiddate": paid,
            "shippeddate": shipped,
            "delivereddate": delivered,
            "daystoship": days_between(order["orderdate"], shipped),
            "daystodeliver": days_between(shipped, delivered),
            "linecount": len(lines),
            "orderamount": sum((x["quantity"] * x["unitprice"] for x in lines), Decimal(0)),
            "fulfilmentstage": next(name for name, reached in stages if reached),
            "updatedat": now,
        }
    return list(after.values())


def load_store_sales_daily(db: Database, now: datetime, cutoff: datetime | None) -> list[Row]:
    groups: dict[tuple[date, int, str], list[Row]] = defaultdict(list)
    for sale in db["silver.factsales"]:
        for store in left_join(db["silver.dimstore"], storeid=sale["storeid"]):
            region = isnull(store["regionname"], "Unknown")
            groups[(sale["orderdate"].date(), sale["storeid"], region)].append(sale)
    days = []
    for (day, store_id, region), sales in groups.items():
        net = sum((sale["netamount"] for sale in sales), Decimal(0))
        orders = len({sale["orderid"] for sale in sales})
        days.append(
            {
                "salesdate": day,
                "storeid": store_id,
                "regionname": region,
                "ordercount": orders,
                "unitssold": sum(sale["quantity"] for sale in sales),
                "netamount": net,
                # decimal(38,4) / int is decimal(38,6), cut off; the column then rounds to 4.
                "avgbasket": (net / orders).quantize(Decimal("0.000001"), ROUND_DOWN),
            }
        )
    return days


REPLAYS: dict[str, Callable[[Database, datetime, datetime | None], list[Row]]] = {
    "silver.dimcategory": load_dim_category,
    "silver.dimstore": load_dim_store,
    "silver.dimcustomer": load_dim_customer,
    "silver.dimproduct": load_dim_product,
    "silver.dimorderprofile": load_dim_order_profile,
    "silver.dimpromotion": load_dim_promotion,
    "silver.customercontact": load_customer_contact,
    "silver.factsales": load_fact_sales,
    "silver.factreturn": load_fact_return,
    "silver.factinventorysnapshot": load_fact_inventory_snapshot,
    "silver.factorderfulfilment": load_fact_order_fulfilment,
    "gold.storesalesdaily": load_store_sales_daily,
}


def isnull(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def nullif(value: str | None, nothing: str) -> str | None:
    return None if value == nothing else value


def trim(text: Any) -> Any:
    """LTRIM(RTRIM()): blanks only."""
    return None if text is None else text.strip(" ")


def left_join(rows: list[Row], **key: Any) -> list[Row]:
    """The rows with these key values, or one row of NULLs; NULL matches nothing."""
    found = [row for row in rows if all(v is not None and row[c] == v for c, v in key.items())]
    return found or [NO_MATCH]


def days_between(start: datetime | None, end: datetime | None) -> int | None:
    """DATEDIFF(DAY): midnights crossed."""
    return None if start is None or end is None else (end.date() - start.date()).days

"""Order numbers said in words pick among a customer's own; prices, hours, years, houses and telephones never do."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.shop import ANNA, BORIS, SHOP, caller, toolbox
from tools.context import CustomerId, OrderId
from tools.orders.fake import FakeOrders
from tools.spoken import meant, spoken

OWN = ("1045-А", "1051", "1008", "77", "405", "1112-Б", "2300", "W2378156")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("тысяча сорок пять А", "1045-А"),
        ("тысяча сорок пять", "1045-А"),
        ("Тысяча сорок пять, а", "1045-А"),
        ("одна тысяча сорок пять", "1045-А"),
        ("тысячу сорок пять а", "1045-А"),
        ("тыща сорок пять", "1045-А"),
        ("десять сорок пять", "1045-А"),
        ("десять - сорок пять", "1045-А"),
        ("один ноль четыре пять", "1045-А"),
        ("один, ноль, четыре, пять, а", "1045-А"),
        ("один нуль четыре пять", "1045-А"),
        ("сто четыре пять", "1045-А"),
        ("десять четыре пять", "1045-А"),
        ("тысяча сорок пятый", "1045-А"),
        ("где мой заказ тысяча сорок пять?", "1045-А"),
        ("где мой заказ тысяча сорок пять а", "1045-А"),
        ("заказ тысяча сорок пять а когда привезут", "1045-А"),
        ("заказ номер десять сорок пять", "1045-А"),
        ("Отмените заказ один ноль пять один, пожалуйста", "1051"),
        ("тысяча пятьдесят один", "1051"),
        ("десять пятьдесят один", "1051"),
        ("десять пятьдесят первый", "1051"),
        ("что с тысяча пятьдесят первым заказом", ""),
        ("статус тысячи пятидесяти одного", "1051"),
        ("тысяча восемь", "1008"),
        ("десять ноль восемь", "1008"),
        ("один ноль ноль восемь", "1008"),
        ("семьдесят семь", "77"),
        ("заказ семьдесят семь", "77"),
        ("номер семь семь", "77"),
        ("четыреста пять", "405"),
        ("четыре ноль пять", "405"),
        ("тысяча сто двенадцать бэ", "1112-Б"),
        ("одиннадцать двенадцать б", "1112-Б"),
        ("один один один два", "1112-Б"),
        ("две тысячи триста", "2300"),
        ("двадцать три ноль ноль", "2300"),
        ("дабл ю два три семь восемь один пять шесть", "W2378156"),
        ("два миллиона", ""),
        ("ten forty-five", "1045-А"),
        ("ten forty five a", "1045-А"),
        ("Ten forty-five A.", "1045-А"),
        ("one oh four five", "1045-А"),
        ("one zero four five", "1045-А"),
        ("one thousand forty-five", "1045-А"),
        ("one thousand and forty-five", "1045-А"),
        ("a thousand and forty five", "1045-А"),
        ("order ten forty-five", "1045-А"),
        ("where is my order number one oh four five a?", "1045-А"),
        ("cancel order ten fifty-one please", "1051"),
        ("one thousand fifty one", "1051"),
        ("ten oh eight", "1008"),
        ("one double oh eight", "1008"),
        ("one thousand and eight", "1008"),
        ("seventy-seven", "77"),
        ("order seventy seven", "77"),
        ("four hundred and five", "405"),
        ("four oh five", "405"),
        ("eleven twelve", "1112-Б"),
        ("eleven hundred and twelve", "1112-Б"),
        ("twenty-three hundred", "2300"),
        ("two thousand three hundred", "2300"),
        ("double-u two three seven eight one five six", "W2378156"),
        ("what about ten fifty one", "1051"),
    ],
)
def test_a_number_in_words_is_the_one_order_it_names(text: str, number: str) -> None:
    assert meant(text, OWN) == ((number,) if number else ())


@pytest.mark.parametrize(
    "text",
    [
        "за тысячу пятьдесят один рубль",
        "это стоит тысячу сорок пять",
        "верните тысячу сорок пять рублей",
        "скидка на тысячу восемь баллов",
        "приезжайте в десять сорок пять",
        "к десяти сорока пяти",
        "десять сорок пять утра",
        "десять пятьдесят один вечера",
        "до десяти пятидесяти одного",
        "заказ на тысячу сорок пять рублей",
        "закажу тысячу восемь штук",
        "дом десять, квартира сорок пять",
        "живу в доме тысяча восемь",
        "мой телефон десять сорок пять",
        "номер телефона один ноль четыре пять",
        "позвоните на десять сорок пять",
        "последние цифры карты один ноль пять один",
        "код один ноль четыре пять",
        "индекс тысяча восемь",
        "восемь девятьсот один ноль четыре пять десять сорок пять ноль один",
        "через четыреста пять дней",
        "купил две тысячи триста люмен",
        "в две тысячи триста году",
        "две тысячи триста первого года",
        "семьдесят семь заказов",
        "мне семьдесят семь лет",
        "один из двух",
        "at ten forty-five",
        "by ten fifty-one tomorrow",
        "ten forty-five am",
        "it cost one thousand and eight roubles",
        "for four hundred and five euros",
        "I paid two thousand three hundred",
        "my phone is one oh four five",
        "call me on ten fifty-one",
        "card ending one oh five one",
        "flat ten forty-five",
        "four hundred and five pieces",
        "seventy-seven orders",
        "one of the two",
        "двадцать пятого ноября",
        "twenty-fifth of November",
        "",
    ],
)
def test_what_is_counted_paid_or_dialled_is_no_order(text: str) -> None:
    assert meant(text, OWN) == ()


def test_a_letter_said_must_be_the_orders_and_one_left_out_may_mean_several() -> None:
    own = ("1045-А", "1045-Б")
    assert meant("тысяча сорок пять б", own) == ("1045-Б",)
    assert meant("тысяча сорок пять в", own) == ()
    assert meant("тысяча сорок пять", own) == own


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_survived(text: str) -> None:
    assert all(one.digits.isdigit() for one in spoken(text))


class TestInATool:
    async def told(self, said: str, who: CustomerId = ANNA) -> dict[str, object]:
        result: dict[str, object] = json.loads(
            await toolbox().call("order_status", {"order_id": said}, caller(who))
        )
        return result

    @pytest.mark.parametrize("said", ["тысяча сорок пять А", "десять сорок пять", "ten forty-five"])
    async def test_a_model_may_pass_the_customers_words(self, said: str) -> None:
        assert await self.told(said) == await self.told("1045-А")

    async def test_a_foreign_order_said_in_words_is_as_unknown_as_no_order(self) -> None:
        foreign = await self.told("тысяча сорок пять А", BORIS)
        assert foreign == await self.told("девять тысяч девятьсот девяносто восемь", BORIS)
        assert foreign["fault"] == "rejected.bad_number"

    async def test_two_own_orders_that_sound_alike_are_asked_for(self) -> None:
        one = next(order for order in SHOP.orders if order.id == "1045-А")
        twins = [one, replace(one, id=OrderId("1045-Б"))]
        box = toolbox(FakeOrders(twins, SHOP.products))
        told = json.loads(await box.call("cancel_order", {"order_id": "десять сорок пять"}, caller()))
        assert told["fault"] == "rejected.which_order"

    async def test_a_change_is_prepared_for_the_order_itself(self) -> None:
        told = json.loads(
            await toolbox().call("cancel_order", {"order_id": "тысяча пятьдесят один"}, caller())
        )
        assert told["proposal"]["arguments"]["order_id"] == "1051"

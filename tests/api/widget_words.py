"""What the scripted conversation of the widget's tests says."""

from api.routes.widget import Look

NOW = "2026-11-22T09:15:00Z"
DISCLOSURE = {
    "ru": "Здравствуйте! Я автоматический помощник магазина «Фонарь». Отвечаю по документам компании и могу"
    " посмотреть ваш заказ, если вы разрешите. Человека можно позвать в любой момент.",
    "en": "Hi! I'm Fonar's automated assistant. I answer from company documents and can look up your order if"
    " you allow it. You can ask for a person at any time.",
}
CONSENT = {
    "purpose": "orders:read",
    "text": "Чтобы ответить, мне нужно посмотреть ваши заказы: номер, состав, статус. Больше ни для чего я эти"
    " данные не использую. Разрешаете?",
    "gives": "Скажу, где заказ, когда приедет и что в нём.",
    "version": "2026-11-01",
}
OTHER_PURPOSES = [
    {
        "purpose": "profile:read",
        "basis": "contract",
        "state": "none",
        "text": "Чтобы ответить, мне нужно посмотреть ваш профиль: имя, город, адрес, уровень и баллы.",
        "gives": "Скажу, сколько у вас баллов и какой уровень.",
        "version": "2026-11-28",
    },
    {
        "purpose": "marketing",
        "basis": "consent",
        "state": "none",
        "text": "Магазин «Фонарь» может присылать вам сюда акции и скидки, не чаще раза в неделю. Присылать?",
        "gives": "Скидки раз в неделю, не чаще.",
        "version": "2026-11-01",
    },
]
TOLD = {
    "ru": [
        {
            "name": "documents",
            "title": "Документы компании",
            "aside": 1,
            "folded": "Прочитано, но в ответ не вошло: 1",
            "lines": [
                {
                    "text": "«Доставка по России · Сроки и цены», редакция 2",
                    "note": "",
                    "passage": "delivery#2",
                },
                {
                    "text": "«Возврат товара · Срок», редакция 1",
                    "note": "Прочитан, но в ответ не вошёл.",
                    "passage": "returns#1",
                },
            ],
        },
        {
            "name": "data",
            "title": "Ваши данные",
            "lines": [
                {
                    "text": "Ваши заказы: номер заказа, состояние, ожидаемая дата доставки и названия товаров.",
                    "note": "Основание — ваше согласие от 22 ноября 2026 г., редакция текста 2026-11-01.",
                    "passage": "",
                }
            ],
        },
        {
            "name": "models",
            "title": "Кто читал ваше сообщение",
            "lines": [
                {
                    "text": "Внешняя языковая модель (gpt-5-mini).",
                    "note": "Прочитано: ваше сообщение и предыдущая переписка. Личные данные закрыты метками: 1 имя и 2 телефона.",
                    "passage": "",
                }
            ],
        },
        {
            "name": "remembered",
            "title": "Что запомнено",
            "lines": [{"text": "До конца разговора: номер, который вы назвали.", "note": "", "passage": ""}],
        },
    ],
    "en": [
        {
            "name": "data",
            "title": "Your data",
            "lines": [
                {"text": "Your orders: order number, status.", "note": "Basis: your consent.", "passage": ""}
            ],
        }
    ],
}
DELIVERY = {"document": "delivery", "passage": "delivery#2", "title": "Доставка по России · Сроки и цены"}
RETURNS = {"document": "returns", "passage": "returns#1", "title": "Возврат товара"}
PASSAGES = {
    "delivery#2": {
        "document": "delivery",
        "title": "Доставка по России",
        "heading": "Сроки и цены",
        "text": "Курьер по Нижнему Новгороду стоит 290 ₽. Заказ от 3 000 ₽ доставляем бесплатно.\n\n"
        "Курьер приезжает с 10:00 до 21:00 и звонит за час.\n\nС собой нужны:\n\n• паспорт;\n\n• номер заказа.\n"
        "| Куда | Курьер |\n| Нижний Новгород | 290 ₽ |\n| Москва | 390 ₽ |",
        "page": 2,
    },
    "returns#1": {
        "document": "returns",
        "title": "Возврат товара",
        "heading": "Срок",
        "text": "Вернуть товар можно за 14 дней после получения, если он не был в употреблении.",
    },
}
LOOK = Look(
    company={"ru": "Фонарь", "en": "Fonar"},
    languages=("ru", "en"),
    accent="#0B5FA5",
    avatar={"ru": "Ф", "en": "F"},
    disclosure={"ru": DISCLOSURE["ru"], "en": DISCLOSURE["en"]},
    quick_replies={
        "ru": ("Где мой заказ?", "Сколько стоит доставка?", "Как вернуть товар?"),
        "en": ("Where is my order?", "How much is delivery?", "How do I return something?"),
    },
)

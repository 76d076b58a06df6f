from setuptools import setup

setup(
    name="shop",
    version="1.0",
    description="Sells things over the counter",
    license="MIT",
    packages=["shop"],
    install_requires=["click"],
    extras_require={"mail": ["idna"]},
    entry_points={"console_scripts": ["shop=shop:main", "shop-admin=shop:main", "shop-internal=shop:main"]},
)

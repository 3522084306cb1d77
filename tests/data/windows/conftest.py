import pytest
from tokenizers import Tokenizer

from rasid.data.windows.encoding import TextEncoder


@pytest.fixture(scope="module")
def encoder(tokenizer_json: str) -> TextEncoder:
    return TextEncoder(Tokenizer.from_str(tokenizer_json), window=72, overlap=20)

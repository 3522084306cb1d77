"""`rasid export`."""

import shutil


def test_export_is_reproducible(rasid, run_folder, tmp_path, assert_fits_80_columns):
    folder = tmp_path / "tiny"
    shutil.copytree(run_folder, folder)
    shutil.rmtree(folder / "bundle")
    result = rasid("export", folder)
    assert_fits_80_columns(result)
    assert f"bundle: {folder / 'bundle'}" in result.stdout.replace("\n", "")
    for made in (run_folder / "bundle").iterdir():
        assert (folder / "bundle" / made.name).read_bytes() == made.read_bytes(), made.name

/* The columns of the Jena climate file. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/jena.h"

const char *const jena_columns[JENA_COLUMNS] = {
    "p (mbar)",     "T (degC)",     "Tpot (K)",      "Tdew (degC)", "rh (%)",
    "VPmax (mbar)", "VPact (mbar)", "VPdef (mbar)",  "sh (g/kg)",   "H2OC (mmol/mol)",
    "rho (g/m**3)", "wv (m/s)",     "max. wv (m/s)", "wd (deg)"};

// Settings of the server's configuration.

#pragma once

#include "pg/server.h"

extern "C" {
#include "utils/guc.h"
}

// load --import-id: chunks straight into the target, noted as they commit.

#include <memory>

#include "error.h"
#include "load/imports.h"
#include "load/load.h"

namespace vext::client {

void
load_import(LoadContext& context) {
    const LoadOptions& options = context.options;
    std::vector<InputIdentity> identities;
    for (const std::string& path : options.paths)
        identities.push_back(identify(path));
    Import import(context.connection, options.import_id, context.plan.table, identities);
    import.open();
    if (!context.plan.create.empty())
        context.connection.execute(context.plan.create);
    const IndexTarget target = {context.plan.table.name, context.plan.vector().name,
                                context.plan.table.find(context.plan.vector().name)->base_type};
    if (options.index_when == "before" && !find_index(context.connection, target))
        build_wanted_index(context);

    RejectLog rejects(input_names(context.inputs), options.max_errors, options.reject_file);
    rejects.add_earlier(import.n_rejected_before());
    std::vector<std::unique_ptr<Connection>> connections;
    std::vector<std::unique_ptr<ImportSink>> imports;
    std::vector<Sink*> sinks;
    for (std::int64_t i = 0; i < std::max<std::int64_t>(1, options.threads); ++i) {
        connections.push_back(std::make_unique<Connection>(options.connection.dsn));
        imports.push_back(
            std::make_unique<ImportSink>(*connections.back(), context.plan, context.inputs, import,
                                         static_cast<std::uint64_t>(options.batch_size)));
        sinks.push_back(imports.back().get());
    }
    pump(context, sinks, rejects, import.done());
    if (options.index_when == "after" && !find_index(context.connection, target))
        build_wanted_index(context);
}

}  // namespace vext::client

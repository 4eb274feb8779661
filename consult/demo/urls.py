from __future__ import annotations

from django.urls import path

from consult.demo import views
from consult.urls import *  # noqa: F403
from consult.urls import urlpatterns as product

urlpatterns = [path("demonstration/enter", views.enter), path("demonstration/personas", views.personas), *product]
